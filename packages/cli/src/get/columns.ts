// What the tables of `heddle get` show.
import type {
  EndpointSummary,
  ObjectWithStatus,
  ProxySummary,
  ServiceSummary,
  XdsTypeName,
} from '@heddle/control-plane';
import type { Column } from '../output/table.ts';
import { formatAge, formatNumber } from '../output/units.ts';

const rate = (value: number | undefined): string => (value === undefined ? '-' : formatNumber(value));
const latency = (value: number | null | undefined): string =>
  value === null || value === undefined ? '-' : `${formatNumber(value)}ms`;
const orDash = (text: string): string => (text === '' ? '-' : text);

export const serviceColumns: readonly Column<ServiceSummary>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'PORTS', value: ({ ports }) => ports.map(({ number }) => number).join(',') },
  { title: 'INSTANCES', value: ({ instances }) => String(instances), align: 'right' },
  { title: 'VERSIONS', value: ({ versions }) => orDash(versions.join(',')) },
  { title: 'REQ/S', value: ({ traffic }) => rate(traffic?.requestsPerSecond), align: 'right' },
  { title: 'ERR/S', value: ({ traffic }) => rate(traffic?.errorsPerSecond), align: 'right' },
  { title: 'P50', value: ({ traffic }) => latency(traffic?.p50Ms), align: 'right' },
  { title: 'P99', value: ({ traffic }) => latency(traffic?.p99Ms), align: 'right' },
  { title: 'PROTOCOL', value: ({ ports }) => ports.map(({ protocol }) => protocol).join(','), isWide: true },
  { title: 'HOST', value: ({ host }) => host, isWide: true },
];

/** Columns that show ages are made for a moment. */
export function endpointColumns(nowMs: number): readonly Column<EndpointSummary>[] {
  return [
    { title: 'INSTANCE', value: ({ instance }) => instance },
    { title: 'SERVICE', value: ({ service, servicePort }) => `${service}:${servicePort}` },
    { title: 'VERSION', value: ({ version }) => orDash(version) },
    { title: 'ADDRESS', value: ({ address, port }) => `${address}:${port}` },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'AGE', value: ({ since }) => formatAge(nowMs - since) },
    {
      title: 'LEASE',
      value: ({ leaseExpiresAt }) => `${Math.max(0, (leaseExpiresAt - nowMs) / 1000).toFixed(1)}s`,
      isWide: true,
    },
    { title: 'IDENTITY', value: ({ identity }) => identity, isWide: true },
    {
      title: 'LABELS',
      value: ({ labels }) =>
        Object.entries(labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(','),
      isWide: true,
    },
  ];
}

function typeState(proxy: ProxySummary, type: XdsTypeName): string {
  if (proxy.rejected.some((resource) => resource.type === type)) return 'rejected';
  const status = proxy.types[type];
  if (status === undefined) return '-';
  return status.synced ? 'synced' : 'stale';
}

export function proxyColumns(nowMs: number): readonly Column<ProxySummary>[] {
  const typeColumn = (type: XdsTypeName, isWide = false): Column<ProxySummary> => ({
    title: type.toUpperCase(),
    value: (proxy) => typeState(proxy, type),
    isWide,
  });
  return [
    { title: 'INSTANCE', value: ({ instance }) => instance },
    typeColumn('cds'),
    typeColumn('eds'),
    typeColumn('lds'),
    typeColumn('rds'),
    typeColumn('vhds', true),
    typeColumn('sds', true),
    { title: 'CERT ENDS', value: ({ certificateNotAfter }) => formatAge(certificateNotAfter - nowMs) },
    { title: 'AGE', value: ({ connectedAt }) => formatAge(nowMs - connectedAt) },
    { title: 'FROM', value: ({ remoteAddress }) => remoteAddress, isWide: true },
    { title: 'IDENTITY', value: ({ identity }) => identity, isWide: true },
  ];
}

function warnings(object: ObjectWithStatus): string {
  const count = object.status.warnings.length;
  return count === 0 ? 'ok' : count === 1 ? '1 warning' : `${count} warnings`;
}

function texts(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join(',') : typeof value === 'string' ? value : '';
}

/** What a kind is about, where that is hosts. */
function hostColumns(kind: string): readonly Column<ObjectWithStatus>[] {
  if (kind === 'DestinationRule') {
    return [{ title: 'HOST', value: ({ spec }) => orDash(texts(spec['host'])) }];
  }
  if (kind !== 'VirtualService' && kind !== 'ServiceEntry') return [];
  return [{ title: 'HOSTS', value: ({ spec }) => orDash(texts(spec['hosts'])) }];
}

export function objectColumns(kind: string, nowMs: number): readonly Column<ObjectWithStatus>[] {
  return [
    { title: 'NAME', value: ({ metadata }) => metadata.name },
    ...hostColumns(kind),
    {
      title: 'PROXIES',
      value: ({ status }) => `${status.proxies.acknowledged}/${status.proxies.total}`,
      align: 'right',
    },
    { title: 'STATUS', value: warnings },
    { title: 'AGE', value: ({ metadata }) => formatAge(nowMs - Date.parse(metadata.creationTimestamp)) },
    {
      title: 'GENERATION',
      value: ({ metadata }) => String(metadata.generation),
      align: 'right',
      isWide: true,
    },
  ];
}
