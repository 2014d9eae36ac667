import type {
  CertificatesResponse,
  EndpointsResponse,
  EndpointSummary,
  ObjectWithStatus,
  ProxiesResponse,
  ProxySummary,
  ServicesResponse,
  ServiceTrafficSample,
  TrafficResponse,
} from '@heddle/control-plane';

// The answers of a control plane that watches a bookstore with troubles of every kind.

const NAMESPACE = 'default';
const HOUR = 3_600_000;

interface Workload {
  readonly service: string;
  readonly version: string;
  /** Requests per second around which its traffic moves. */
  readonly rate: number;
  /** Share of failed requests. */
  readonly errors: number;
  readonly p50Ms: number;
}

const WORKLOADS: readonly Workload[] = [
  { service: 'productpage', version: 'v1', rate: 12, errors: 0, p50Ms: 18 },
  { service: 'details', version: 'v1', rate: 12, errors: 0, p50Ms: 2.4 },
  { service: 'reviews', version: 'v1', rate: 4, errors: 0, p50Ms: 3.1 },
  { service: 'reviews', version: 'v2', rate: 4, errors: 0.03, p50Ms: 7.5 },
  { service: 'reviews', version: 'v3', rate: 4, errors: 0.03, p50Ms: 7.9 },
  { service: 'ratings', version: 'v1', rate: 8, errors: 0.22, p50Ms: 1.2 },
  { service: 'mongodb', version: 'v1', rate: 0, errors: 0, p50Ms: 0 },
];

const SERVICES = [...new Set(WORKLOADS.map(({ service }) => service))];

const identityOf = (account: string): string => `spiffe://cluster.local/ns/${NAMESPACE}/sa/${account}`;

/** Numbers that look like chance and are the same each time. */
function noise(seed: number): number {
  const x = Math.sin(seed * 12.9898 + 78.233) * 43_758.5453;
  return x - Math.floor(x);
}

/** What a service's traffic was in one second. */
function sampleAt(service: string, second: number): ServiceTrafficSample {
  const parts = WORKLOADS.filter((workload) => workload.service === service);
  const seed = second + SERVICES.indexOf(service) * 1000;
  const wave = 0.75 + 0.35 * Math.sin(second / 17 + SERVICES.indexOf(service)) + 0.35 * (noise(seed) - 0.5);
  const mean = parts.reduce((sum, part) => sum + part.rate, 0);
  const requests = Math.max(0, Math.round(mean * wave));
  const failing = parts.reduce((sum, part) => sum + part.errors * part.rate, 0) / Math.max(1, mean);
  const errors = Array.from({ length: requests }, (_, index) => noise(seed * 31 + index) < failing).filter(
    Boolean,
  );
  const p50Ms = requests === 0 ? null : (parts[0]?.p50Ms ?? 1) * (0.9 + 0.3 * noise(seed + 7));
  return {
    namespace: NAMESPACE,
    service,
    requestsPerSecond: requests,
    errorsPerSecond: errors.length,
    p50Ms,
    p90Ms: p50Ms === null ? null : p50Ms * 1.8,
    p99Ms: p50Ms === null ? null : p50Ms * (2.2 + 3 * noise(seed + 13)),
  };
}

export function samplesAt(second: number): ServiceTrafficSample[] {
  return SERVICES.map((service) => sampleAt(service, second)).filter(
    (sample) => sample.service !== 'mongodb',
  );
}

export function trafficUpTo(endSecond: number, seconds: number): TrafficResponse {
  const range = Array.from({ length: seconds }, (_, index) => endSecond - (seconds - 1 - index));
  return {
    intervalMs: 1000,
    endMs: endSecond * 1000,
    services: SERVICES.filter((service) => service !== 'mongodb').map((service) => {
      const samples = range.map((second) => sampleAt(service, second));
      return {
        namespace: NAMESPACE,
        service,
        requests: samples.map((sample) => sample.requestsPerSecond),
        errors: samples.map((sample) => sample.errorsPerSecond),
        p50Ms: samples.map((sample) => sample.p50Ms),
        p99Ms: samples.map((sample) => sample.p99Ms),
      };
    }),
  };
}

export function servicesAt(second: number): ServicesResponse {
  return {
    services: SERVICES.map((name) => {
      const parts = WORKLOADS.filter((workload) => workload.service === name);
      const last = Array.from({ length: 10 }, (_, index) => sampleAt(name, second - index));
      const latest = last.find((sample) => sample.p50Ms !== null);
      const mean = (pick: (sample: ServiceTrafficSample) => number): number =>
        last.reduce((sum, sample) => sum + pick(sample), 0) / last.length;
      return {
        name,
        namespace: NAMESPACE,
        host: `${name}.${NAMESPACE}.svc.cluster.local`,
        ports: [{ number: 9080, protocol: 'http' }],
        instances: parts.length,
        versions: parts.map(({ version }) => version),
        traffic:
          name === 'mongodb'
            ? null
            : {
                requestsPerSecond: mean((sample) => sample.requestsPerSecond),
                errorsPerSecond: mean((sample) => sample.errorsPerSecond),
                p50Ms: latest?.p50Ms ?? null,
                p99Ms: latest?.p99Ms ?? null,
              },
      };
    }),
  };
}

const instanceOf = ({ service, version }: Workload, index: number): string =>
  `${service}-${version}-7f${index}c`;

export function endpointsAt(nowMs: number): EndpointsResponse {
  const endpoints = WORKLOADS.map((workload, index): EndpointSummary => {
    const { service, version } = workload;
    return {
      instance: instanceOf(workload, index),
      service,
      namespace: NAMESPACE,
      version,
      address: '127.0.0.1',
      port: 41_000 + index,
      servicePort: 9080,
      protocol: 'http',
      labels: { app: service, version },
      identity: identityOf(service),
      state: version === 'v3' ? 'grace' : 'ready',
      since: nowMs - 25 * 60_000,
      leaseExpiresAt: nowMs + 4200,
    };
  });
  return { endpoints };
}

export function proxiesAt(nowMs: number): ProxiesResponse {
  const status = { sent: 4, acknowledged: 4, synced: true };
  const proxies = WORKLOADS.flatMap((workload, index): ProxySummary[] => {
    const { service, version } = workload;
    if (version === 'v3') return [];
    const isRejecting = service === 'ratings';
    return [
      {
        id: `sidecar~${instanceOf(workload, index)}~${service}.${NAMESPACE}~${NAMESPACE}.svc.cluster.local`,
        instance: instanceOf(workload, index),
        namespace: NAMESPACE,
        service,
        version,
        identity: identityOf(service),
        remoteAddress: `127.0.0.1:${52_000 + index}`,
        connectedAt: nowMs - 25 * 60_000,
        certificateNotAfter: nowMs + 11 * HOUR,
        types: {
          cds: status,
          eds: service === 'mongodb' ? { sent: 5, acknowledged: 4, synced: false } : status,
          lds: status,
          rds: isRejecting ? { sent: 5, acknowledged: 4, synced: false } : status,
          sds: status,
        },
        rejected: isRejecting
          ? [
              {
                type: 'rds',
                name: 'http-proxy|default',
                reason:
                  'virtual_hosts[2].routes[0].route.cluster: unknown cluster "outbound|9080|v9|reviews.default.svc.cluster.local"',
                at: nowMs - 95_000,
              },
            ]
          : [],
      },
    ];
  });
  return { proxies };
}

export function certificatesAt(nowMs: number): CertificatesResponse {
  const workloads = WORKLOADS.map((workload, index) => {
    // Most are in the first half of their life; one renewal is late, one certificate ends soon, one has ended.
    const used = [0.05, 0.12, 0.31, 0.71, 1.02, 0.44, 0.93][index] ?? 0.2;
    return {
      identity: identityOf(workload.service),
      kind: 'workload' as const,
      instance: instanceOf(workload, index),
      serial: `3f${index}b9c5507be3a1d2f4480c96e1a${index}7`,
      notBefore: nowMs - used * 24 * HOUR,
      notAfter: nowMs + (1 - used) * 24 * HOUR,
    };
  });
  return {
    certificates: [
      {
        identity: 'spiffe://cluster.local',
        kind: 'root',
        serial: '0c7d3f6e1a2b4d5e8f90a1b2c3d4e5f6',
        notBefore: nowMs - 2 * HOUR,
        notAfter: nowMs + 87_600 * HOUR,
      },
      {
        identity: 'spiffe://cluster.local/ns/heddle-system/sa/control-plane',
        kind: 'control-plane',
        serial: '11aa22bb33cc44dd55ee66ff77008899',
        notBefore: nowMs - 2 * HOUR,
        notAfter: nowMs + 22 * HOUR,
      },
      ...workloads,
    ],
  };
}

function object(
  kind: string,
  name: string,
  spec: ObjectWithStatus['spec'],
  isWarned = false,
): ObjectWithStatus {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind,
    metadata: {
      name,
      namespace: NAMESPACE,
      resourceVersion: '12',
      generation: 2,
      creationTimestamp: '2026-11-21T08:00:00Z',
    },
    spec,
    status: {
      accepted: true,
      observedGeneration: 2,
      conditions: [],
      warnings: isWarned
        ? [
            {
              code: 'IST0101',
              severity: 'warning',
              message: 'Referenced host+subset in destinationrule not found: "ratings+v2"',
              path: 'spec.http[0].route[0].destination',
              hint: 'Add the subset to the destination rule of ratings, or name one of: v1.',
            },
          ]
        : [],
      proxies: { acknowledged: isWarned ? 5 : 6, total: 6 },
    },
  };
}

const to = (host: string, subset: string, weight?: number): object => ({
  destination: { host, subset },
  ...(weight === undefined ? {} : { weight }),
});

export const VIRTUAL_SERVICES: readonly ObjectWithStatus[] = [
  object('VirtualService', 'reviews', {
    hosts: ['reviews'],
    http: [
      { match: [{ headers: { 'end-user': { exact: 'jason' } } }], route: [to('reviews', 'v2')] },
      {
        route: [to('reviews', 'v1', 70), to('reviews', 'v2', 20), to('reviews', 'v3', 10)],
        timeout: '5s',
        retries: { attempts: 2, perTryTimeout: '2s' },
      },
    ],
  }),
  object('VirtualService', 'ratings', { hosts: ['ratings'], http: [{ route: [to('ratings', 'v2')] }] }, true),
];

export const DESTINATION_RULES: readonly ObjectWithStatus[] = [
  object('DestinationRule', 'reviews', {
    host: 'reviews',
    subsets: ['v1', 'v2', 'v3'].map((version) => ({ name: version, labels: { version } })),
  }),
];
