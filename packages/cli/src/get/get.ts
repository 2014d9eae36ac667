import type {
  EndpointsResponse,
  ObjectWithStatus,
  ProxiesResponse,
  ResourcesResponse,
  ServicesResponse,
} from '@heddle/control-plane';
import { assertNever, nearestName, systemClock } from '@heddle/base';
import { type Api, connectApi } from '../api/connect.ts';
import { CliError } from '../cli-error.ts';
import type { GetFlags } from '../commands/get.ts';
import { ExitCode } from '../exit-code.ts';
import { type ConfigurationKind, findKind, type Observed } from '../kinds.ts';
import { type Column, renderTable, terminalColumns } from '../output/table.ts';
import { endpointColumns, objectColumns, proxyColumns, serviceColumns } from './columns.ts';

/** Rows of one kind, and how to show them. */
interface Listing<T> {
  readonly rows: readonly T[];
  readonly name: (row: T) => string;
  readonly namespace: (row: T) => string;
  readonly columns: readonly Column<T>[];
  /** Plural, for sentences. */
  readonly noun: string;
}

async function observe(api: Api, kind: Observed, flags: GetFlags, name: string | undefined): Promise<number> {
  const nowMs = systemClock.now();
  switch (kind) {
    case 'services':
      return await show(flags, name, {
        rows: (await api.get<ServicesResponse>('/api/v1/services')).services,
        name: (row) => row.name,
        namespace: (row) => row.namespace,
        columns: serviceColumns,
        noun: kind,
      });
    case 'endpoints':
      return await show(flags, name, {
        rows: (await api.get<EndpointsResponse>('/api/v1/endpoints')).endpoints,
        name: (row) => row.instance,
        namespace: (row) => row.namespace,
        columns: endpointColumns(nowMs),
        noun: kind,
      });
    case 'proxies':
      return await show(flags, name, {
        rows: (await api.get<ProxiesResponse>('/api/v1/proxies')).proxies,
        name: (row) => row.instance,
        namespace: (row) => row.namespace,
        columns: proxyColumns(nowMs),
        noun: kind,
      });
    default:
      return assertNever(kind);
  }
}

async function configuration(
  api: Api,
  kind: ConfigurationKind,
  flags: GetFlags,
  name: string | undefined,
): Promise<number> {
  return await show<ObjectWithStatus>(flags, name, {
    rows: (await api.get<ResourcesResponse>(`/api/v1/resources/${kind.plural}`)).items,
    name: (row) => row.metadata.name,
    namespace: (row) => row.metadata.namespace,
    columns: objectColumns(kind.kind, systemClock.now()),
    noun: kind.plural,
  });
}

/** Picks the rows that were asked for; a name that isn't there is a failure, an empty list is none. */
function select<T>(flags: GetFlags, name: string | undefined, listing: Listing<T>): readonly T[] {
  const inNamespace = listing.rows.filter(
    (row) => flags.allNamespaces || listing.namespace(row) === flags.namespace,
  );
  if (name === undefined) return inNamespace;
  const named = inNamespace.filter((row) => listing.name(row) === name);
  if (named.length > 0) return named;
  const nearest = nearestName(name, inNamespace.map(listing.name));
  const elsewhere = listing.rows.find((row) => listing.name(row) === name);
  const where = ` in ${flags.allNamespaces ? 'any namespace' : `namespace ${flags.namespace}`}`;
  throw new CliError('HEDDLE_NOT_FOUND', `${listing.noun} has no '${name}'${where}`, {
    hint:
      elsewhere === undefined
        ? nearest === undefined
          ? `\`heddle get ${listing.noun}\` lists them`
          : `did you mean '${nearest}'?`
        : `there is one in namespace ${listing.namespace(elsewhere)}: -n ${listing.namespace(elsewhere)}`,
  });
}

async function show<T>(flags: GetFlags, name: string | undefined, listing: Listing<T>): Promise<number> {
  const rows = select(flags, name, listing);
  if (flags.output === 'json' || flags.output === 'yaml') {
    const value = name === undefined ? { items: rows } : rows.length === 1 ? rows[0] : { items: rows };
    if (flags.output === 'json') process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    else process.stdout.write((await import('yaml')).stringify(value));
    return ExitCode.ok;
  }
  if (rows.length === 0) {
    const others = listing.rows.length === 0 ? '' : ', but in others: -A shows them';
    const where = flags.allNamespaces ? 'any namespace' : `namespace ${flags.namespace}${others}`;
    process.stderr.write(`No ${listing.noun} in ${where}.\n`);
    return ExitCode.ok;
  }
  const isWide = flags.output === 'wide';
  const columns = listing.columns.filter((column) => isWide || column.isWide !== true);
  const namespaceColumn: Column<T> = { title: 'NAMESPACE', value: listing.namespace };
  const shown = flags.allNamespaces ? [namespaceColumn, ...columns] : columns;
  process.stdout.write(renderTable(shown, rows, isWide ? undefined : terminalColumns()));
  return ExitCode.ok;
}

/** `heddle get`. */
export async function get(flags: GetFlags, kindName: string, name: string | undefined): Promise<number> {
  const kind = findKind(kindName);
  const api = await connectApi(flags);
  return typeof kind === 'string'
    ? await observe(api, kind, flags, name)
    : await configuration(api, kind, flags, name);
}
