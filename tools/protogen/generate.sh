#!/bin/sh
# Regenerates packages/xds/src/generated from packages/xds/proto. Needs Debian's protobuf-compiler (protoc 3.21) and the
# repository's own `npm ci`. Running it twice leaves no difference.
set -eu
cd "$(dirname "$0")"
repository=$(cd ../.. && pwd)
PATH="$repository/node_modules/.bin:$PATH"
proto="$repository/packages/xds/proto"
target="$repository/packages/xds/src/generated"

[ -d node_modules/ts-proto ] || npm ci --ignore-scripts --no-audit --no-fund

output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT
files=$(cd "$proto" && find . -name '*.proto' | sed 's,^\./,,' | LC_ALL=C sort)
options=enumsAsLiterals=true,oneof=unions-value,unknownFields=true,importSuffix=.ts,outputServices=none
options=$options,esModuleInterop=true,useOptionals=messages,useDate=false,useExactTypes=false
options=$options,outputJsonMethods=false,outputPartialMethods=true,annotateFilesWithVersion=false
mkdir "$output/code"
# The list is split into words on purpose.
# shellcheck disable=SC2086
(cd "$proto" && protoc -I . --plugin=protoc-gen-ts_proto="$repository/tools/protogen/node_modules/ts-proto/protoc-gen-ts_proto" \
  --ts_proto_out="$output/code" --ts_proto_opt="$options" $files)
node rewrite.ts "$output/code"
# shellcheck disable=SC2086
(cd "$proto" && protoc -I . --descriptor_set_out="$output/descriptors.bin" $files)
node tables.ts "$output/descriptors.bin" node_modules/@grpc/grpc-js-xds/deps "$output/code"
node samples.ts "$proto" "$output/code/protoc-samples.json"

rm -rf "$target"
mkdir -p "$target"
cp -R "$output/code/." "$target/"
