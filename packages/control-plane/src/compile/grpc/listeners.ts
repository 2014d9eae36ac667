/** What gRPC's clients and servers get as listeners: one for each target, one for each address they listen on. */
import { type MeshHost, type MeshModel, defaultDomain, serviceHost, viewOf } from '@heddle/model';
import { type DeepPartial, TypeUrl, packAny } from '@heddle/xds';
import { Listener } from '@heddle/xds/api/envoy/config/listener/v3/listener.ts';
import { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import { Route, VirtualHost } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import {
  HttpConnectionManager,
  type HttpFilter,
} from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { CertificateValidationContext } from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/common.ts';
import {
  CommonTlsContext,
  DownstreamTlsContext,
} from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/tls.ts';
import { BinaryWriter } from '@heddle/xds/wire/binary-writer.ts';
import { upstreamRoutesName } from '../names.ts';
import type { Bind } from '../node-metadata.ts';
import { adsConfigSource, socketAddress } from '../parts.ts';
import { opaqueProtocol } from '../tcp-link.ts';
import { FieldNumber, certificateProvider, putField } from './fields.ts';

/** A port of a host that a target names. */
export interface GrpcTarget {
  readonly host: MeshHost;
  readonly port: number;
}

/** The template in the bootstrap, less the address. */
const serverPrefix = 'grpc/server?xds.resource.listening_address=';

const routerOnly = [
  {
    name: 'envoy.filters.http.router',
    configType: { $case: 'typedConfig' as const, value: packAny(TypeUrl.router, {}) },
  },
];

/** What `xds:///reviews.prod:9080` is for a client of `namespace`; null where the mesh has no such port, or it is no HTTP. */
export function resolveTarget(model: MeshModel, target: string, namespace: string): GrpcTarget | null {
  const separator = target.lastIndexOf(':');
  const port = Number(target.slice(separator + 1));
  if (separator <= 0 || !Number.isInteger(port)) return null;
  const host = findHost(model, target.slice(0, separator).toLowerCase(), namespace);
  const found =
    host === null ? undefined : viewOf(host, namespace).ports.find((known) => known.port === port);
  return host === null || found === undefined || found.protocol === opaqueProtocol ? null : { host, port };
}

function findHost(model: MeshModel, name: string, namespace: string): MeshHost | null {
  const exact = model.hosts.get(name);
  if (exact !== undefined) return exact;
  const [service = '', home = namespace, ...rest] = name.split('.');
  if (rest.length > 1 || (rest.length === 1 && rest[0] !== 'svc')) return null;
  return model.hosts.get(serviceHost(service, home, defaultDomain)) ?? null;
}

/** All targets by which clients may name the ports of a host. */
export function targetsOf(host: MeshHost | undefined): string[] {
  if (host === undefined) return [];
  const { service } = host;
  const short =
    service === null
      ? []
      : ['', `.${service.namespace}`, `.${service.namespace}.svc`].map((end) => service.name + end);
  const ports = [host.shared, ...host.views.values()].flatMap((view) => view.ports.map(({ port }) => port));
  return [host.host, ...short].flatMap((name) => ports.map((port) => `${name}:${port}`));
}

/** The listener of a target: where its routes come from. */
export function targetListener(name: string, { host, port }: GrpcTarget, namespace: string): Uint8Array {
  const manager = packAny(TypeUrl.httpConnectionManager, {
    routeSpecifier: {
      $case: 'rds',
      value: {
        configSource: adsConfigSource,
        routeConfigName: upstreamRoutesName(host.host, port, namespace),
      },
    },
    httpFilters: routerOnly,
  });
  const listener = Listener.fromPartial({ name });
  // ApiListener: api_listener = 1 (an Any: type_url = 1, value = 2).
  const api = new BinaryWriter();
  api.tag(1, 2).fork().tag(1, 2).string(manager.typeUrl).tag(2, 2).bytes(manager.value).join();
  putField(listener, FieldNumber.apiListener, api.finish());
  return Listener.encode(listener).finish();
}

/** The address in a server's listener's name; null where the name is none. */
export function serverAddress(name: string): Bind | null {
  if (!name.startsWith(serverPrefix)) return null;
  const text = name.slice(serverPrefix.length);
  const separator = text.lastIndexOf(':');
  const port = Number(text.slice(separator + 1));
  const address = text.slice(0, separator).replace(/^\[(.*)\]$/, '$1');
  return separator <= 0 || !Number.isInteger(port) || port > 65_535 ? null : { address, port };
}

/** The listener of a gRPC server: whoever calls has to have a certificate of the mesh, and to pass `filters`. */
export function serverListener(
  name: string,
  bind: Bind,
  filters: readonly DeepPartial<HttpFilter>[],
): Uint8Array {
  const manager = {
    typeUrl: TypeUrl.httpConnectionManager,
    value: HttpConnectionManager.encode(serverManager(filters)).finish(),
  };
  const listener: DeepPartial<Listener> = {
    name,
    address: socketAddress(bind),
    filterChains: [
      {
        name: 'default',
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            configType: { $case: 'typedConfig', value: manager },
          },
        ],
        transportSocket: {
          name: 'envoy.transport_sockets.tls',
          configType: {
            $case: 'typedConfig',
            value: { typeUrl: TypeUrl.downstreamTlsContext, value: serverTls() },
          },
        },
      },
    ],
  };
  return Listener.encode(Listener.fromPartial(listener)).finish();
}

/** All calls are the server's own. gRPC reads nothing else of its routes. */
function serverManager(filters: readonly DeepPartial<HttpFilter>[]): HttpConnectionManager {
  const route = Route.fromPartial({ match: { pathSpecifier: { $case: 'prefix', value: '/' } } });
  putField(route, FieldNumber.nonForwardingAction, new Uint8Array(0));
  const host = VirtualHost.fromPartial({ name: 'inbound', domains: ['*'] });
  host.routes.push(route);
  const routes = RouteConfiguration.fromPartial({ name: 'inbound' });
  routes.virtualHosts.push(host);
  const manager = HttpConnectionManager.fromPartial({ httpFilters: [...filters, ...routerOnly] });
  manager.routeSpecifier = { $case: 'routeConfig', value: routes };
  return manager;
}

function serverTls(): Uint8Array {
  const context = CommonTlsContext.fromPartial({
    validationContextType: { $case: 'validationContext', value: {} },
  });
  putField(context, FieldNumber.certificateProvider, certificateProvider('default'));
  const validation = CertificateValidationContext.fromPartial({});
  putField(validation, FieldNumber.rootsProvider, certificateProvider('ROOTCA'));
  context.validationContextType = { $case: 'validationContext', value: validation };
  const downstream = DownstreamTlsContext.fromPartial({ requireClientCertificate: true });
  downstream.commonTlsContext = context;
  return DownstreamTlsContext.encode(downstream).finish();
}
