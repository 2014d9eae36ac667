// EnvoyFilter: changes to what Envoy is sent. Only its frame is checked: what it holds is Envoy's.
import { z } from 'zod';
import { about, anyMapping, atMostOne, hasAtMostOne, int32, portNumber, textMap, uint32 } from './fields.ts';
import { notYet, onlyValues } from './support.ts';
import { targetReferences, workloadSelector } from './selectors.ts';

const filter = z.strictObject({
  name: z.string().optional(),
  subFilter: z.strictObject({ name: z.string().optional() }).optional(),
});

const listener = z.strictObject({
  portNumber: uint32.optional(),
  portName: z.string().optional(),
  filterChain: z
    .strictObject({
      name: z.string().optional(),
      sni: z.string().optional(),
      transportProtocol: z.string().optional(),
      applicationProtocols: z.string().optional(),
      destinationPort: uint32.optional(),
      filter: filter.optional(),
    })
    .optional(),
  listenerFilter: z.string().optional(),
  name: z.string().optional(),
});

const routeConfiguration = z.strictObject({
  portNumber: uint32.optional(),
  portName: z.string().optional(),
  gateway: z.string().optional(),
  vhost: z
    .strictObject({
      name: z.string().optional(),
      domainName: z.string().optional(),
      route: z
        .strictObject({
          name: z.string().optional(),
          action: z.enum(['ANY', 'ROUTE', 'REDIRECT', 'DIRECT_RESPONSE']).optional(),
        })
        .optional(),
    })
    .optional(),
  name: z.string().optional(),
});

const match = z
  .strictObject({
    context: z.enum(['ANY', 'SIDECAR_INBOUND', 'SIDECAR_OUTBOUND', 'GATEWAY', 'WAYPOINT']).optional(),
    proxy: notYet(
      'choosing proxies by version or metadata',
      z.strictObject({ proxyVersion: z.string().optional(), metadata: textMap.optional() }),
    ),
    listener: listener.optional(),
    routeConfiguration: routeConfiguration.optional(),
    cluster: z
      .strictObject({
        portNumber: uint32.optional(),
        service: z.string().optional(),
        subset: z.string().optional(),
        name: z.string().optional(),
      })
      .optional(),
    waypoint: z
      .strictObject({
        portNumber: portNumber.optional(),
        filter: filter.optional(),
        route: z.strictObject({ name: z.string().optional() }).optional(),
      })
      .optional(),
  })
  .check(atMostOne(['listener', 'routeConfiguration', 'cluster', 'waypoint']))
  .refine(
    ({ context, waypoint }) => (context === 'WAYPOINT') === (waypoint !== undefined),
    about('must name a waypoint if, and only if, its context is WAYPOINT'),
  );

const applyTo = z.enum([
  'INVALID',
  'LISTENER',
  'FILTER_CHAIN',
  'NETWORK_FILTER',
  'HTTP_FILTER',
  'ROUTE_CONFIGURATION',
  'VIRTUAL_HOST',
  'HTTP_ROUTE',
  'CLUSTER',
  'EXTENSION_CONFIG',
  'BOOTSTRAP',
  'LISTENER_FILTER',
]);

const operation = z.enum([
  'INVALID',
  'MERGE',
  'ADD',
  'REMOVE',
  'INSERT_BEFORE',
  'INSERT_AFTER',
  'INSERT_FIRST',
  'REPLACE',
  'MERGE_AND_REPLACE_LIST',
]);

const configPatch = z.strictObject({
  applyTo: onlyValues(['HTTP_FILTER', 'NETWORK_FILTER'], applyTo),
  match: match.optional(),
  patch: z
    .strictObject({
      operation: onlyValues(
        ['ADD', 'REMOVE', 'INSERT_FIRST', 'INSERT_BEFORE', 'INSERT_AFTER', 'REPLACE'],
        operation,
      ),
      value: anyMapping.optional(),
      filterClass: z.enum(['UNSPECIFIED', 'AUTHN', 'AUTHZ', 'STATS']).optional(),
    })
    .optional(),
});

export const envoyFilterSpec = z
  .strictObject({
    workloadSelector: workloadSelector.optional(),
    targetRefs: targetReferences.optional(),
    configPatches: z.array(configPatch).optional(),
    priority: int32.optional(),
  })
  .refine(
    (spec) => hasAtMostOne(spec, ['workloadSelector', 'targetRefs']),
    about('stands beside workloadSelector, but only one of the two may be set', 'targetRefs'),
  );

export type EnvoyFilterSpec = Readonly<z.infer<typeof envoyFilterSpec>>;
