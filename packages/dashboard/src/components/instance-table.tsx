import { signal } from '@preact/signals';
import type { EndpointState, ProxySummary } from '../generated/api.ts';
import { judgeProxyConfig, XDS_TYPES } from '../health/proxy-config.ts';
import type { InstanceRow } from '../mesh/instance-rows.ts';
import { hrefOf } from '../router/page.ts';
import { Badge, type Tone } from './badge.tsx';
import { DataTable, type Column } from './data-table.tsx';
import { Icon } from './icon.tsx';
import { Identity } from './identity.tsx';
import { Moment } from './moment.tsx';
import { assertNever } from '../platform/assert-never.ts';

/** Instances whose details people have opened; kept while the tab lives. */
const opened = signal<ReadonlySet<string>>(new Set());

function toggle(instance: string): void {
  const next = new Set(opened.peek());
  if (!next.delete(instance)) next.add(instance);
  opened.value = next;
}

/** Instances with the state of their lease and of their sidecar's configuration. */
export function InstanceTable({
  rows,
  showService,
}: {
  readonly rows: readonly InstanceRow[];
  readonly showService: boolean;
}) {
  const columns = showService ? ALL_COLUMNS : ALL_COLUMNS.filter((column) => column.id !== 'service');
  return (
    <DataTable
      caption="Instances"
      columns={columns}
      rows={rows}
      keyOf={(row) => row.instance}
      initialSort={showService ? 'service' : 'instance'}
      detail={detailOf}
    />
  );
}

function detailOf(row: InstanceRow) {
  const rejected = row.proxy?.rejected ?? [];
  const isOpen = opened.value.has(row.instance);
  if (!isOpen && rejected.length === 0) return null;
  return (
    <div class="instance-detail">
      {rejected.map((refusal) => (
        <div class="note bad" key={`${refusal.type} ${refusal.name} ${refusal.at}`}>
          <p>
            <strong>
              Rejected {refusal.type.toUpperCase()} {refusal.name}
            </strong>{' '}
            <Moment atMs={refusal.at} />. It keeps using what it had before.
          </p>
          <code>{refusal.reason}</code>
        </div>
      ))}
      {isOpen && <Facts row={row} />}
    </div>
  );
}

function Facts({ row }: { readonly row: InstanceRow }) {
  const labels = Object.entries(row.endpoint?.labels ?? {});
  return (
    <dl class="facts">
      {row.endpoint !== null && (
        <>
          <dt>Lease ends</dt>
          <dd>
            <Moment atMs={row.endpoint.leaseExpiresAt} /> unless it is renewed
          </dd>
          <dt>Service port</dt>
          <dd>
            {row.endpoint.servicePort} {row.endpoint.protocol}
          </dd>
          {labels.length > 0 && (
            <>
              <dt>Labels</dt>
              <dd class="chips">
                {labels.map(([name, value]) => (
                  <code key={name}>
                    {name}={value}
                  </code>
                ))}
              </dd>
            </>
          )}
        </>
      )}
      {row.proxy !== null && (
        <>
          <dt>Configuration</dt>
          <dd class="chips">
            <Types proxy={row.proxy} />
          </dd>
          <dt>Certificate ends</dt>
          <dd>
            <Moment atMs={row.proxy.certificateNotAfter} />
          </dd>
          <dt>Connected from</dt>
          <dd class="mono">{row.proxy.remoteAddress}</dd>
          <dt>Node id</dt>
          <dd class="mono">{row.proxy.id}</dd>
        </>
      )}
    </dl>
  );
}

function Types({ proxy }: { readonly proxy: ProxySummary }) {
  const known = XDS_TYPES.flatMap((type) => {
    const status = proxy.types[type];
    return status === undefined ? [] : [{ type, ...status }];
  });
  if (known.length === 0) return <>it has asked for nothing yet</>;
  return (
    <>
      {known.map(({ type, sent, acknowledged, synced }) => (
        <span class="xds" key={type}>
          <Badge tone={synced ? 'good' : 'warning'}>{type.toUpperCase()}</Badge> {acknowledged} of {sent}{' '}
          acknowledged
        </span>
      ))}
    </>
  );
}

interface StateWords {
  readonly word: string;
  readonly tone: Tone;
  readonly title: string;
}

const STATES: Readonly<Record<EndpointState, StateWords>> = {
  ready: { word: 'ready', tone: 'good', title: 'Published; its lease is renewed' },
  grace: { word: 'in grace', tone: 'warning', title: 'Its stream broke; it has two seconds to come back' },
  restored: {
    word: 'restored',
    tone: 'warning',
    title: 'Known from before the control plane started; it has one lease to report',
  },
};

const UNPUBLISHED: StateWords = {
  word: 'not published',
  tone: 'plain',
  title: 'Its sidecar is connected; its application takes no requests from the mesh',
};

function stateOf(row: InstanceRow): StateWords {
  return row.endpoint === null ? UNPUBLISHED : STATES[row.endpoint.state];
}

function ConfigState({ proxy }: { readonly proxy: ProxySummary | null }) {
  if (proxy === null) return <Badge tone="warning">not connected</Badge>;
  const state = judgeProxyConfig(proxy);
  switch (state) {
    case 'synced':
      return <Badge tone="good">synced</Badge>;
    case 'pending':
      return <Badge tone="warning">pending</Badge>;
    case 'rejected':
      return <Badge tone="bad">{proxy.rejected.length} rejected</Badge>;
    default:
      return assertNever(state);
  }
}

const CONFIG_RANK = { rejected: 0, pending: 1, synced: 3 } as const;

const ALL_COLUMNS: readonly Column<InstanceRow>[] = [
  {
    id: 'instance',
    title: 'Instance',
    sortBy: (row) => row.instance,
    cell: (row) => {
      const isOpen = opened.value.has(row.instance);
      return (
        <button
          type="button"
          class="opener"
          aria-expanded={isOpen}
          onClick={() => {
            toggle(row.instance);
          }}
        >
          <Icon name="more" size={12} />
          <span class="mono">{row.instance}</span>
        </button>
      );
    },
  },
  {
    id: 'service',
    title: 'Service',
    sortBy: (row) => `${row.service}/${row.namespace}/${row.version}`,
    cell: (row) => (
      <div>
        <a class="strong" href={hrefOf({ name: 'service', namespace: row.namespace, service: row.service })}>
          {row.service}
        </a>{' '}
        {row.version !== '' && <Badge>{row.version}</Badge>}
        <span class="sub">{row.namespace}</span>
      </div>
    ),
  },
  {
    id: 'state',
    title: 'State',
    sortBy: (row) => stateOf(row).word,
    cell: (row) => {
      const { word, tone, title } = stateOf(row);
      return (
        <span title={title}>
          <Badge tone={tone}>{word}</Badge>
        </span>
      );
    },
  },
  {
    id: 'config',
    title: 'Configuration',
    sortBy: (row) => (row.proxy === null ? 2 : CONFIG_RANK[judgeProxyConfig(row.proxy)]),
    cell: (row) => <ConfigState proxy={row.proxy} />,
  },
  {
    id: 'address',
    title: 'Address',
    sortBy: (row) => (row.endpoint === null ? null : `${row.endpoint.address}:${row.endpoint.port}`),
    cell: (row) => (
      <span class="mono">{row.endpoint === null ? '–' : `${row.endpoint.address}:${row.endpoint.port}`}</span>
    ),
  },
  {
    id: 'identity',
    title: 'Identity',
    sortBy: (row) => row.identity,
    cell: (row) => <Identity identity={row.identity} />,
  },
  {
    id: 'since',
    title: 'Connected',
    sortBy: (row) => row.proxy?.connectedAt ?? null,
    cell: (row) => (row.proxy === null ? '–' : <Moment atMs={row.proxy.connectedAt} />),
  },
];
