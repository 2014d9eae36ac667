/** Configuration of Envoy's that Heddle knows no messages for: passed on as it was written, for Envoy to read. */
import { HttpFilter } from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { Filter } from '@heddle/xds/api/envoy/config/listener/v3/listener_components.ts';
import type { Any } from '@heddle/xds/api/google/protobuf/any.ts';
import { Struct } from '@heddle/xds/api/google/protobuf/struct.ts';
import { BinaryWriter } from '@heddle/xds/wire/binary-writer.ts';

const typedStruct = 'type.googleapis.com/xds.type.v3.TypedStruct';

type Json = Readonly<Record<string, unknown>>;

/** An HTTP filter as a patch holds it; a sentence where it can't be one. */
export function httpFilterOf(value: Json): HttpFilter | string {
  const config = configOf(value);
  if (typeof config === 'string') return config;
  return HttpFilter.fromPartial({
    name: String(value['name']),
    configType: { $case: 'typedConfig', value: config },
    isOptional: (value['is_optional'] ?? value['isOptional']) === true,
    disabled: value['disabled'] === true,
  });
}

/** The same for a network filter. */
export function networkFilterOf(value: Json): Filter | string {
  const config = configOf(value);
  if (typeof config === 'string') return config;
  return Filter.fromPartial({
    name: String(value['name']),
    configType: { $case: 'typedConfig', value: config },
  });
}

function configOf(value: Json): Any | string {
  if (typeof value['name'] !== 'string') return 'a filter has no name';
  const config = value['typed_config'] ?? value['typedConfig'];
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    return `the filter ${value['name']} has no typed_config`;
  const { '@type': type, ...fields } = config as Json;
  if (typeof type !== 'string') return `the typed_config of the filter ${value['name']} has no @type`;
  // Envoy takes a structure with a type's name wherever it takes the type.
  if (!type.endsWith('.TypedStruct')) return structOf(type, fields);
  const inner = fields['type_url'] ?? fields['typeUrl'];
  const content = (fields['value'] ?? {}) as Json;
  return typeof inner === 'string'
    ? structOf(inner, content)
    : `the TypedStruct of ${value['name']} has no type_url`;
}

function structOf(typeUrl: string, fields: Json): Any {
  const struct = Struct.encode(Struct.wrap({ ...fields })).finish();
  // TypedStruct: type_url = 1, value = 2.
  const value = new BinaryWriter().tag(1, 2).string(typeUrl).tag(2, 2).bytes(struct).finish();
  return { typeUrl: typedStruct, value };
}
