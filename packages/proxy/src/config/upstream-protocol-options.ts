import { TypeUrl } from '@heddle/xds';
import {
  type Cluster,
  Cluster_ClusterProtocolSelection as ProtocolSelection,
} from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import type {
  Http1ProtocolOptions,
  Http2ProtocolOptions,
  HttpProtocolOptions,
} from '@heddle/xds/api/envoy/config/core/v3/protocol.ts';
import type { HttpProtocolOptions as UpstreamHttpOptions } from '@heddle/xds/api/envoy/extensions/upstreams/http/v3/http_protocol_options.ts';
import type { UpstreamProtocol } from '../cluster/upstream-protocol.ts';
import type { ProblemList } from './problem-list.ts';
import { refuseExtension, unpackConfig } from './unpack-config.ts';

const optionsKey = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** A message and where it stands. */
interface Placed<M> {
  readonly message: M | undefined;
  readonly path: string;
}

/** What a cluster says of HTTP, wherever it says it. */
export interface UpstreamProtocolOptions {
  readonly protocol: UpstreamProtocol;
  readonly common: Placed<HttpProtocolOptions>;
  readonly http1: Placed<Http1ProtocolOptions>;
  readonly http2: Placed<Http2ProtocolOptions>;
}

/** Finds a cluster's options for HTTP: in the extension, which is asked first, or in the older fields of the cluster itself. */
export function upstreamProtocolOptions(cluster: Cluster, problems: ProblemList): UpstreamProtocolOptions {
  let options: UpstreamProtocolOptions | null = null;
  for (const [key, any] of Object.entries(cluster.typedExtensionProtocolOptions)) {
    const path = `typed_extension_protocol_options[${key}]`;
    if (key !== optionsKey || any.typeUrl !== TypeUrl.upstreamHttpProtocolOptions) {
      refuseExtension(key, any, path, problems);
      continue;
    }
    const message = unpackConfig(any, TypeUrl.upstreamHttpProtocolOptions, path, problems);
    if (message !== null) options = fromExtension(message, path, problems);
  }
  return options ?? fromCluster(cluster, problems);
}

function fromExtension(
  message: UpstreamHttpOptions,
  path: string,
  problems: ProblemList,
): UpstreamProtocolOptions {
  const choice = message.upstreamProtocolOptions;
  const place = (
    protocol: UpstreamProtocol,
    field: string,
    http1?: Http1ProtocolOptions,
    http2?: Http2ProtocolOptions,
  ): UpstreamProtocolOptions => ({
    protocol,
    common: { message: message.commonHttpProtocolOptions, path: `${path}.common_http_protocol_options` },
    http1: { message: http1, path: `${path}.${field}.http_protocol_options` },
    http2: { message: http2, path: `${path}.${field}.http2_protocol_options` },
  });
  switch (choice?.$case) {
    case 'autoConfig':
      return place(
        'auto',
        'auto_config',
        choice.value.httpProtocolOptions,
        choice.value.http2ProtocolOptions,
      );
    case 'useDownstreamProtocolConfig': {
      const { httpProtocolOptions, http2ProtocolOptions } = choice.value;
      return place('downstream', 'use_downstream_protocol_config', httpProtocolOptions, http2ProtocolOptions);
    }
    case 'explicitHttpConfig': {
      const explicit = choice.value.protocolConfig;
      if (explicit?.$case === 'http2ProtocolOptions') {
        return place('http2', 'explicit_http_config', undefined, explicit.value);
      }
      if (explicit === undefined) {
        problems.invalid(
          `${path}.explicit_http_config`,
          'needs one of http_protocol_options, http2_protocol_options',
        );
      }
      return place('http1', 'explicit_http_config', explicit?.value);
    }
    default:
      // Envoy wants one of them; HTTP/1.1 is what a cluster without any options speaks.
      return place('http1', 'explicit_http_config');
  }
}

function fromCluster(cluster: Cluster, problems: ProblemList): UpstreamProtocolOptions {
  const { httpProtocolOptions, http2ProtocolOptions } = cluster;
  const goesByClient = cluster.protocolSelection === ProtocolSelection.USE_DOWNSTREAM_PROTOCOL;
  if (!goesByClient && httpProtocolOptions !== undefined && http2ProtocolOptions !== undefined) {
    problems.invalid(
      'http2_protocol_options',
      'does not go with http_protocol_options unless protocol_selection is USE_DOWNSTREAM_PROTOCOL',
    );
  }
  return {
    protocol: goesByClient ? 'downstream' : http2ProtocolOptions === undefined ? 'http1' : 'http2',
    common: { message: cluster.commonHttpProtocolOptions, path: 'common_http_protocol_options' },
    http1: { message: httpProtocolOptions, path: 'http_protocol_options' },
    http2: { message: http2ProtocolOptions, path: 'http2_protocol_options' },
  };
}
