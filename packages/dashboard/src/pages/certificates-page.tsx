import { Badge, type Tone } from '../components/badge.tsx';
import { DataTable, type Column } from '../components/data-table.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { FilterBox } from '../components/filter-box.tsx';
import { Identity } from '../components/identity.tsx';
import { LifeBar } from '../components/life-bar.tsx';
import { Loading } from '../components/loading.tsx';
import { matchesFilter } from '../components/matches-filter.ts';
import { Moment } from '../components/moment.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { formatCount } from '../format/number.ts';
import { formatDateTime } from '../format/time.ts';
import type { CertificateSummary } from '../generated/api.ts';
import {
  judgeCertificate,
  type CertificateLife,
  type CertificateLifeState,
} from '../health/certificate-life.ts';
import { hrefOf } from '../router/page.ts';
import { location } from '../router/router.ts';
import { certificates, nowMs } from '../state/app-state.ts';
import { usePolled } from '../state/use-polled.ts';

interface CertificateRow {
  readonly certificate: CertificateSummary;
  readonly life: CertificateLife;
}

/** Who has proven who they are, until when, and whether renewal keeps up. */
export function CertificatesPage() {
  const answer = usePolled(certificates);
  const { filter } = location.value;
  const now = nowMs.value;
  const rows = answer?.certificates.map((certificate) => ({
    certificate,
    life: judgeCertificate(certificate, now),
  }));
  const shown = rows?.filter(({ certificate }) =>
    matchesFilter(filter, [
      certificate.identity,
      certificate.kind,
      certificate.instance ?? '',
      certificate.serial,
    ]),
  );
  return (
    <>
      <PageHeader
        title="Certificates"
        command="heddle get proxies -A -o wide"
        {...(rows === undefined || rows.length === 0 ? {} : { summary: summaryOf(rows) })}
      />
      <FailureNote failure={certificates.failure.value} />
      {rows === undefined || shown === undefined ? (
        <Loading />
      ) : rows.length === 0 ? (
        <EmptyState title="No certificate has been issued yet" />
      ) : (
        <>
          <div class="toolbar">
            <FilterBox label="Filter certificates" />
            <p class="toolbar-note">
              A sidecar renews at half its certificate’s life, the mark on the bar. Its key never leaves it.
            </p>
          </div>
          {shown.length === 0 ? (
            <EmptyState title="No certificate matches the filter" />
          ) : (
            <DataTable
              caption="Certificates"
              columns={COLUMNS}
              rows={shown}
              keyOf={({ certificate }) => certificate.serial}
              initialSort="expires"
            />
          )}
        </>
      )}
    </>
  );
}

function summaryOf(rows: readonly CertificateRow[]): string {
  const worried = rows.filter(({ life }) => life.state !== 'fresh').length;
  const all = formatCount(rows.length, 'certificate');
  return worried === 0 ? `${all} · all fresh` : `${all} · ${worried} to look at`;
}

const STATES: Readonly<Record<CertificateLifeState, { readonly word: string; readonly tone: Tone }>> = {
  fresh: { word: 'fresh', tone: 'good' },
  late: { word: 'renewal late', tone: 'warning' },
  ending: { word: 'ends soon', tone: 'bad' },
  expired: { word: 'expired', tone: 'bad' },
};

const KINDS: Readonly<Record<CertificateSummary['kind'], string>> = {
  root: 'root',
  'control-plane': 'control plane',
  workload: 'workload',
};

const COLUMNS: readonly Column<CertificateRow>[] = [
  {
    id: 'identity',
    title: 'Identity',
    sortBy: ({ certificate }) => certificate.identity,
    cell: ({ certificate }) => <Identity identity={certificate.identity} />,
  },
  {
    id: 'kind',
    title: 'Kind',
    sortBy: ({ certificate }) => certificate.kind,
    cell: ({ certificate }) => (
      <div>
        {KINDS[certificate.kind]}
        {certificate.instance !== undefined && (
          <a class="sub mono" href={hrefOf({ name: 'instances' }, certificate.instance)}>
            {certificate.instance}
          </a>
        )}
      </div>
    ),
  },
  {
    id: 'state',
    title: 'State',
    sortBy: ({ life }) => -life.used,
    cell: ({ life }) => <Badge tone={STATES[life.state].tone}>{STATES[life.state].word}</Badge>,
  },
  {
    id: 'life',
    title: 'Life used',
    sortBy: ({ life }) => life.used,
    cell: ({ certificate, life }) => <LifeBar life={life} renews={certificate.kind !== 'root'} />,
  },
  {
    id: 'expires',
    title: 'Expires',
    sortBy: ({ certificate }) => certificate.notAfter,
    cell: ({ certificate, life }) => (
      <div class={life.state === 'fresh' ? '' : `tone-${STATES[life.state].tone}`}>
        <Moment atMs={certificate.notAfter} />
        <span class="sub">{formatDateTime(certificate.notAfter)}</span>
      </div>
    ),
  },
  {
    id: 'serial',
    title: 'Serial',
    cell: ({ certificate }) => (
      <span class="mono serial" title={certificate.serial}>
        {certificate.serial}
      </span>
    ),
  },
];
