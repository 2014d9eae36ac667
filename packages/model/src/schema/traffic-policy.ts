// A DestinationRule's trafficPolicy.
import { z } from 'zod';
import {
  atMostOne,
  duration,
  durationOrZero,
  int32,
  portNumber,
  portSelector,
  uint32,
  uint64,
  wrapper,
} from './fields.ts';
import { notYet, onlyValues } from './support.ts';

const consistentHash = z
  .strictObject({
    httpHeaderName: z.string().optional(),
    httpCookie: z
      .strictObject({
        name: z.string(),
        path: z.string().optional(),
        ttl: durationOrZero.optional(),
        attributes: z.array(z.strictObject({ name: z.string(), value: z.string().optional() })).optional(),
      })
      .optional(),
    useSourceIp: z.boolean().optional(),
    httpQueryParameterName: z.string().optional(),
    ringHash: z.strictObject({ minimumRingSize: uint64.optional() }).optional(),
    maglev: z.strictObject({ tableSize: uint64.optional() }).optional(),
    minimumRingSize: uint64.optional(),
  })
  .check(atMostOne(['httpHeaderName', 'httpCookie', 'useSourceIp', 'httpQueryParameterName']))
  .check(atMostOne(['ringHash', 'maglev']));

const failover = z.array(z.strictObject({ from: z.string().optional(), to: z.string().optional() }));

export const localityLbSetting = z.strictObject({
  distribute: z
    .array(z.strictObject({ from: z.string().optional(), to: z.record(z.string(), uint32).optional() }))
    .optional(),
  failover: failover.optional(),
  failoverPriority: z.array(z.string()).optional(),
  enabled: wrapper(z.boolean()),
});

const loadBalancer = z
  .strictObject({
    simple: onlyValues(
      ['UNSPECIFIED', 'ROUND_ROBIN', 'LEAST_REQUEST', 'LEAST_CONN', 'RANDOM'],
      z.enum(['UNSPECIFIED', 'LEAST_CONN', 'RANDOM', 'PASSTHROUGH', 'ROUND_ROBIN', 'LEAST_REQUEST']),
    ),
    consistentHash: notYet('consistent hashing', consistentHash),
    localityLbSetting: notYet('locality load balancing', localityLbSetting),
    zoneAwareLbSetting: notYet(
      'zone-aware load balancing',
      z.strictObject({
        enabled: wrapper(z.boolean()),
        failover: failover.optional(),
        failoverPriority: z.array(z.string()).optional(),
        minClusterSize: wrapper(uint32.min(1)),
      }),
    ),
    warmupDurationSecs: notYet('slow start', duration),
    warmup: notYet(
      'slow start',
      z.strictObject({
        duration,
        minimumPercent: wrapper(z.number().min(0).max(100)),
        aggression: wrapper(z.number().min(0)),
      }),
    ),
  })
  .check(atMostOne(['simple', 'consistentHash']));

export const tcpKeepalive = z.strictObject({
  probes: uint32.optional(),
  time: duration.optional(),
  interval: duration.optional(),
});

export const connectionPool = z.strictObject({
  tcp: z
    .strictObject({
      maxConnections: int32.optional(),
      connectTimeout: duration.optional(),
      tcpKeepalive: z
        .strictObject({
          probes: notYet('a number of TCP keepalive probes', uint32),
          time: duration.optional(),
          interval: notYet('an interval of TCP keepalive probes', duration),
        })
        .optional(),
      maxConnectionDuration: duration.optional(),
      idleTimeout: notYet('idle timeouts of TCP connections', durationOrZero),
    })
    .optional(),
  http: z
    .strictObject({
      http1MaxPendingRequests: int32.optional(),
      http2MaxRequests: int32.optional(),
      maxRequestsPerConnection: int32.optional(),
      maxRetries: int32.optional(),
      idleTimeout: duration.optional(),
      h2UpgradePolicy: notYet(
        'a choice of protocol for links that negotiate theirs',
        z.enum(['DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE']),
      ),
      useClientProtocol: notYet("the client's protocol between sidecars", z.boolean()),
      maxConcurrentStreams: int32.optional(),
      http2KeepAlive: z
        .strictObject({ interval: duration.optional(), timeout: duration.optional() })
        .optional(),
    })
    .optional(),
});

export const outlierDetection = z.strictObject({
  consecutiveErrors: int32.optional(),
  splitExternalLocalOriginErrors: z.boolean().optional(),
  consecutiveLocalOriginFailures: wrapper(uint32),
  consecutiveGatewayErrors: wrapper(uint32),
  consecutive5xxErrors: wrapper(uint32),
  interval: duration.optional(),
  baseEjectionTime: duration.optional(),
  maxEjectionPercent: int32.min(0).max(100).optional(),
  minHealthPercent: int32.min(0).max(100).optional(),
  outlierDetectionHttpErrorCodes: z.array(z.int().min(100).max(599)).optional(),
});

export const tls = z.strictObject({
  mode: z.enum(['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL']).optional(),
  clientCertificate: z.string().optional(),
  privateKey: z.string().optional(),
  caCertificates: z.string().optional(),
  caCrl: notYet('certificate revocation lists', z.string()),
  credentialName: notYet('certificates of its own per destination', z.string()),
  subjectAltNames: z.array(z.string()).optional(),
  sni: z.string().optional(),
  insecureSkipVerify: notYet('connections without verification', z.boolean().nullable()),
});

export const trafficPolicy = z.strictObject({
  loadBalancer: loadBalancer.optional(),
  connectionPool: connectionPool.optional(),
  outlierDetection: notYet('outlier detection', outlierDetection),
  tls: tls.optional(),
  portLevelSettings: z
    .array(
      z.strictObject({
        port: portSelector.optional(),
        loadBalancer: loadBalancer.optional(),
        connectionPool: connectionPool.optional(),
        outlierDetection: notYet('outlier detection', outlierDetection),
        tls: tls.optional(),
      }),
    )
    .max(4096)
    .optional(),
  tunnel: notYet(
    'tunnelling',
    z.strictObject({ protocol: z.string().optional(), targetHost: z.string(), targetPort: portNumber }),
  ),
  proxyProtocol: notYet('the PROXY protocol', z.strictObject({ version: z.enum(['V1', 'V2']).optional() })),
  retryBudget: z
    .strictObject({
      percent: wrapper(z.number().min(0).max(100)),
      budgetInterval: notYet('retry budgets over time', durationOrZero),
      minRetryConcurrency: uint32.optional(),
    })
    .optional(),
});
