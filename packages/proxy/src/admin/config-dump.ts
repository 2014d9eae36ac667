// `/config_dump`: the configuration in force as Envoy shows it, private keys redacted.
import { collectionOf, TypeUrl } from '@heddle/xds';
import { messageToJson, resourceToJson } from '@heddle/xds/json';
import { type AdminResponse, BadAdminRequest } from './admin-message.ts';
import type { ClusterStatus, EndpointStatus } from '../threads/cluster-status.ts';
import type { RuntimeValues } from './runtime-page.ts';
import { applyFieldMask } from './field-mask.ts';
import { type NamePattern, safePattern } from './safe-pattern.ts';

/** A resource in force. */
export interface DumpedResource {
  readonly typeUrl: string;
  readonly name: string;
  /** As the control plane calls it; empty for a file's. */
  readonly version: string;
  readonly bytes: Uint8Array;
}

/** Where the configuration comes from. */
export interface DumpSource {
  /** The bootstrap file as a message; null where there is none. */
  readonly bootstrap: Uint8Array | null;
  /** The resources come from the file, not by xDS. */
  readonly isStatic: boolean;
  readonly startedAt: Date;
  /** Lowest layer first. */
  readonly runtime: readonly RuntimeValues[];
  resources(): Iterable<DumpedResource>;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** One list of a dump's message. */
interface Section {
  readonly field: string;
  /** Name of an element's message within the dump's. */
  readonly element: string;
  readonly elements: () => Iterable<{ readonly name: string; readonly value: JsonObject }>;
}

/** One message of a dump. */
interface DumpMessage {
  readonly type: string;
  readonly sections: readonly Section[];
}

/** Lists that a dump may have in Envoy, and has not got here: asked for, they are empty. */
const emptyLists = new Set([
  'static_clusters',
  'dynamic_active_clusters',
  'dynamic_warming_clusters',
  'static_listeners',
  'dynamic_listeners',
  'inline_scoped_route_configs',
  'dynamic_scoped_route_configs',
  'static_route_configs',
  'dynamic_route_configs',
  'static_secrets',
  'dynamic_active_secrets',
  'dynamic_warming_secrets',
]);
const emptyEndpointLists = new Set(['static_endpoint_configs', 'dynamic_endpoint_configs']);

/** Fields of a dump that are no lists. */
const singleFields = new Set(['bootstrap', 'last_updated', 'version_info']);

const typePrefix = 'type.googleapis.com/envoy.admin.v3';

/** Answers `/config_dump`, in parts: a large configuration takes its time. `clusters`: for their endpoints. */
export function configDumpPage(
  source: DumpSource,
  query: URLSearchParams,
  clusters: readonly ClusterStatus[],
): AdminResponse {
  const pattern = safePattern(query.get('name_regex') ?? '');
  if (!pattern.ok) throw new BadAdminRequest(`Error while parsing name_regex: ${pattern.error}\n`);
  const includesEndpoints = query.has('include_eds');
  const messages = messagesOf(source, includesEndpoints ? clusters : null, pattern.value);
  const resource = query.get('resource') ?? '';
  const mask = query.get('mask') ?? '';
  if (resource !== '') {
    const found = messages
      .flatMap((message) => message.sections.map((section) => ({ message, section })))
      .find(({ section }) => section.field === resource);
    if (found === undefined) return missingList(resource, includesEndpoints);
    const elements = elementsText(found.message, found.section, mask);
    if (mask === '') return dumpResponse(elements);
    const isEmpty = Iterator.from(found.section.elements()).next().done === true;
    return isEmpty
      ? dumpResponse([])
      : maskedResponse(elements, `FieldMask ${mask} could not be successfully used.\n`);
  }
  if (mask === '') return jsonParts(dumpText(source, messages));
  return maskedResponse(
    maskedText(source, messages, mask),
    `FieldMask ${mask} could not be successfully applied to any configs.\n`,
  );
}

/** The answer where a list is asked for that is not there. */
function missingList(field: string, includesEndpoints: boolean): AdminResponse {
  if (emptyLists.has(field) || (includesEndpoints && emptyEndpointLists.has(field))) return dumpResponse([]);
  if (!singleFields.has(field)) throw new BadAdminRequest(`${field} not found in config dump\n`, 404);
  throw new BadAdminRequest(`${field} is not a repeated field. Use ?mask=${field} to get only this field\n`);
}

/** Refused where nothing has a field of the mask: the first part is made before the answer begins. */
function maskedResponse(parts: Generator<string>, refusal: string): AdminResponse {
  const first = parts.next();
  if (first.done === true) throw new BadAdminRequest(refusal);
  return dumpResponse(chain(first.value, parts));
}

function* chain(first: string, rest: Iterable<string>): Generator<string> {
  yield first;
  yield* rest;
}

function dumpResponse(parts: Iterable<string>): AdminResponse {
  return jsonParts(wrap(parts));
}

function jsonParts(body: Iterable<string>): AdminResponse {
  return { status: 200, contentType: 'application/json', body };
}

/** Indented as Envoy does; a dump of nothing is an empty message. */
function* wrap(parts: Iterable<string>): Generator<string> {
  let before = '{\n "configs": [\n';
  for (const part of parts) {
    yield before + indented(part, 2);
    before = ',\n';
  }
  yield before === ',\n' ? '\n ]\n}\n' : '{}\n';
}

function indented(text: string, depth: number): string {
  const margin = ' '.repeat(depth);
  return margin + text.replaceAll('\n', `\n${margin}`);
}

function bootstrapDump({ bootstrap, startedAt }: DumpSource): JsonObject | null {
  if (bootstrap === null) return null;
  return {
    '@type': `${typePrefix}.BootstrapConfigDump`,
    bootstrap: messageToJson('envoy.config.bootstrap.v3.Bootstrap', bootstrap),
    last_updated: startedAt.toISOString(),
  };
}

/** The elements of one list, each as a message of its own. */
function* elementsText(
  { type }: DumpMessage,
  { element, elements }: Section,
  mask: string,
): Generator<string> {
  for (const { value } of elements()) {
    const typed = { '@type': `${typePrefix}.${type}.${element}`, ...value };
    const masked = mask === '' ? typed : applyFieldMask(typed, mask);
    if (masked !== null) yield JSON.stringify(masked, null, 1);
  }
}

/** The whole dump, one step per element, so that none takes long. */
function* dumpText(source: DumpSource, messages: readonly DumpMessage[]): Generator<string> {
  const bootstrap = bootstrapDump(source);
  yield '{\n "configs": [\n';
  if (bootstrap !== null) yield `${indented(JSON.stringify(bootstrap, null, 1), 2)},\n`;
  for (const [index, { type, sections }] of messages.entries()) {
    yield `${index === 0 ? '' : ',\n'}  {\n   "@type": "${typePrefix}.${type}"`;
    for (const { field, elements } of sections) {
      let before = `,\n   "${field}": [\n`;
      for (const { value } of elements()) {
        yield before + indented(JSON.stringify(value, null, 1), 4);
        before = ',\n';
      }
      if (before === ',\n') yield '\n   ]';
    }
    yield '\n  }';
  }
  yield '\n ]\n}\n';
}

function* maskedText(source: DumpSource, messages: readonly DumpMessage[], mask: string): Generator<string> {
  const whole = messages.map(({ type, sections }) => ({
    '@type': `${typePrefix}.${type}`,
    ...Object.fromEntries(
      sections.map(({ field, elements }) => [field, [...elements()].map(({ value }) => value)]),
    ),
  }));
  const bootstrap = bootstrapDump(source);
  for (const message of bootstrap === null ? whole : [bootstrap, ...whole]) {
    const masked = applyFieldMask(message, mask);
    if (masked !== null) yield JSON.stringify(masked, null, 1);
  }
}

/** `clusters` is null where load assignments are not asked for. */
function messagesOf(
  source: DumpSource,
  clusters: readonly ClusterStatus[] | null,
  names: NamePattern,
): DumpMessage[] {
  const { isStatic } = source;
  const startedAt = source.startedAt.toISOString();
  const section = (
    field: string,
    element: string,
    typeUrl: string,
    show: (resource: DumpedResource) => JsonObject,
  ): Section => ({
    field,
    element,
    *elements() {
      for (const resource of source.resources()) {
        if (resource.typeUrl !== typeUrl || !names.test(resource.name)) continue;
        yield { name: resource.name, value: show(resource) };
      }
    },
  });
  const inlineRoutes: Section = {
    field: 'static_route_configs',
    element: 'StaticRouteConfig',
    *elements() {
      for (const { typeUrl, bytes } of source.resources()) {
        if (typeUrl !== TypeUrl.listener) continue;
        for (const config of inlineRoutesOf(resourceToJson(typeUrl, bytes))) {
          const name = typeof config['name'] === 'string' ? config['name'] : '';
          if (names.test(name))
            yield {
              name,
              value: {
                route_config: { '@type': TypeUrl.routeConfiguration, ...config },
                last_updated: startedAt,
              },
            };
        }
      }
    },
  };
  const messages: DumpMessage[] = [
    {
      type: 'ClustersConfigDump',
      sections: [
        isStatic
          ? section('static_clusters', 'StaticCluster', TypeUrl.cluster, (resource) => ({
              cluster: show(resource),
              last_updated: startedAt,
            }))
          : section('dynamic_active_clusters', 'DynamicCluster', TypeUrl.cluster, (resource) => ({
              version_info: resource.version,
              cluster: show(resource),
            })),
      ],
    },
    {
      type: 'ListenersConfigDump',
      sections: [
        isStatic
          ? section('static_listeners', 'StaticListener', TypeUrl.listener, (resource) => ({
              listener: show(resource),
              last_updated: startedAt,
            }))
          : section('dynamic_listeners', 'DynamicListener', TypeUrl.listener, (resource) => ({
              name: resource.name,
              active_state: { version_info: resource.version, listener: show(resource) },
            })),
      ],
    },
    { type: 'ScopedRoutesConfigDump', sections: [] },
    {
      type: 'RoutesConfigDump',
      sections: [
        inlineRoutes,
        section('dynamic_route_configs', 'DynamicRouteConfig', TypeUrl.routeConfiguration, (resource) => ({
          version_info: resource.version,
          route_config: withHosts(source, resource),
        })),
      ],
    },
    {
      type: 'SecretsConfigDump',
      sections: [
        section(
          isStatic ? 'static_secrets' : 'dynamic_active_secrets',
          isStatic ? 'StaticSecret' : 'DynamicSecret',
          TypeUrl.secret,
          (resource) => ({
            name: resource.name,
            ...(isStatic ? {} : { version_info: resource.version }),
            secret: show(resource),
          }),
        ),
      ],
    },
  ];
  if (clusters !== null) {
    const staticEndpoints: Section = {
      field: 'static_endpoint_configs',
      element: 'StaticEndpointConfig',
      *elements() {
        for (const cluster of clusters) {
          if (names.test(cluster.name)) yield { name: cluster.name, value: endpointConfig(cluster) };
        }
      },
    };
    const dynamicEndpoints = section(
      'dynamic_endpoint_configs',
      'DynamicEndpointConfig',
      TypeUrl.clusterLoadAssignment,
      (resource) => ({ version_info: resource.version, endpoint_config: show(resource) }),
    );
    const sections = [isStatic ? staticEndpoints : dynamicEndpoints];
    messages.splice(1, 0, { type: 'EndpointsConfigDump', sections });
  }
  return messages;
}

/** The endpoints of a cluster as they are now, resolved where they are names. */
function endpointConfig({ name, endpoints }: ClusterStatus): JsonObject {
  const priorities = [...new Set(endpoints.map(({ priority }) => priority))].toSorted((a, b) => a - b);
  return {
    endpoint_config: {
      '@type': TypeUrl.clusterLoadAssignment,
      cluster_name: name,
      endpoints: priorities.map((priority) => {
        const hosts = endpoints.filter((endpoint) => endpoint.priority === priority).map(hostJson);
        const locality = { locality: {}, lb_endpoints: hosts };
        return priority === 0 ? locality : Object.assign(locality, { priority });
      }),
    },
  };
}

function hostJson({ host, port, hostname, health, weight }: EndpointStatus): JsonObject {
  const address = { socket_address: { address: host, port_value: port } };
  return {
    endpoint: hostname === '' ? { address } : { address, hostname },
    health_status: health.toUpperCase(),
    load_balancing_weight: weight,
  };
}

function show({ typeUrl, bytes }: DumpedResource): JsonObject {
  return resourceToJson(typeUrl, bytes);
}

/** A route configuration, also with those of its virtual hosts that came by themselves. */
function withHosts(source: DumpSource, resource: DumpedResource): JsonObject {
  const config = show(resource);
  const hosts: JsonObject[] = [];
  for (const { typeUrl, name, bytes } of config['vhds'] === undefined ? [] : source.resources())
    if (collectionOf(typeUrl, name) === resource.name) hosts.push(resourceToJson(typeUrl, bytes));
  return hosts.length === 0 ? config : { ...config, virtual_hosts: hosts };
}

/** Routes that stand in a listener's connection managers. */
function* inlineRoutesOf(value: unknown): Generator<JsonObject> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (key === 'route_config') yield member as JsonObject;
    else yield* inlineRoutesOf(member);
  }
}
