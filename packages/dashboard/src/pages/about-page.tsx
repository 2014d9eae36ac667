import { CommandLine } from '../components/command-line.tsx';
import { FailureNote } from '../components/failure-note.tsx';
import { Loading } from '../components/loading.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { formatDateTime, formatDuration } from '../format/time.ts';
import type { StatusResponse } from '../generated/api.ts';
import { connection, historyVersion, history, isStreamLive, nowMs, status } from '../state/app-state.ts';
import { usePolled } from '../state/use-polled.ts';

/** The control plane and the connection to it. */
export function AboutPage() {
  const answer = usePolled(status);
  return (
    <>
      <PageHeader title="About" command="heddle version" summary="The control plane, and the line to it" />
      <FailureNote failure={status.failure.value} />
      {answer === null ? (
        <Loading />
      ) : (
        <div class="about">
          <ControlPlane status={answer} />
          <ThisConnection />
          <section class="panel">
            <h2>Worth trying</h2>
            <CommandLine command="heddle get services -A" />
            <CommandLine command="heddle run --service hello --port 8000 --expose 8080 -- python3 -m http.server {{port}}" />
            <CommandLine command="heddle token create" />
            <CommandLine command="heddle --help" />
          </section>
        </div>
      )}
    </>
  );
}

function ControlPlane({ status }: { readonly status: StatusResponse }) {
  return (
    <section class="panel">
      <h2>Control plane</h2>
      <dl class="facts">
        <dt>Version</dt>
        <dd>{status.version}</dd>
        <dt>Running for</dt>
        <dd>
          {formatDuration(nowMs.value - status.startedAt)}, since{' '}
          <span class="nowrap">{formatDateTime(status.startedAt)}</span>
        </dd>
        <dt>Trust domain</dt>
        <dd class="mono">{status.trustDomain}</dd>
        <dt>Configuration</dt>
        <dd>revision {status.revision}</dd>
        <dt>Proxies connected</dt>
        <dd>{status.proxies}</dd>
        <dt>Instances published</dt>
        <dd>{status.instances}</dd>
        <dt>API and dashboard</dt>
        <dd class="mono">{status.apiAddress}</dd>
        <dt>xDS, over mTLS</dt>
        <dd class="mono">{status.xdsAddress}</dd>
        <dt>Joining</dt>
        <dd class="mono">{status.joinAddress}</dd>
      </dl>
    </section>
  );
}

function ThisConnection() {
  void historyVersion.value;
  const isAnswering = connection.state.value.name === 'live';
  const end = history.endSecond;
  return (
    <section class="panel">
      <h2>This connection</h2>
      <dl class="facts">
        <dt>API</dt>
        <dd class={isAnswering ? 'tone-good' : 'tone-bad'}>{isAnswering ? 'answers' : 'does not answer'}</dd>
        <dt>Traffic</dt>
        <dd class={isStreamLive.value ? 'tone-good' : 'tone-warning'}>
          {isStreamLive.value ? 'arrives each second' : 'does not arrive at the moment'}
        </dd>
        <dt>Last second received</dt>
        <dd>{end < 0 ? 'none yet' : formatDateTime(end * 1000)}</dd>
        <dt>While the tab is hidden</dt>
        <dd>nothing is asked for</dd>
      </dl>
    </section>
  );
}
