import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@heddle/testkit';
import { type RpcStatus, RpcCode } from '@heddle/xds';
import { LoadStatsRequest, LoadStatsResponse } from '@heddle/xds/api/envoy/service/load_stats/v3/lrs.ts';
import { TrafficCollector } from '../telemetry/traffic-collector.ts';
import { loadReportService } from './load-report-service.ts';

const peer = { identity: 'spiffe://cluster.local/ns/shop/sa/web', remoteAddress: '', certificateNotAfter: 0 };
const nodeOf = (namespace: string) => ({ id: 'n', metadata: { NAMESPACE: namespace, SERVICE: 'web' } });

function open() {
  const clock = new VirtualClock();
  const collector = new TrafficCollector(clock);
  const method = loadReportService({ collector, trustDomain: 'cluster.local' });
  assert.ok(method.kind === 'stream');
  const sent: LoadStatsResponse[] = [];
  const ends: (RpcStatus | undefined)[] = [];
  const handler = method.open(
    {
      send: (message) => {
        sent.push(LoadStatsResponse.decode(message));
        return true;
      },
      end: (status) => void ends.push(status),
      cancel: () => undefined,
    },
    peer,
  );
  const report = (request: Parameters<typeof LoadStatsRequest.fromPartial>[0]): void =>
    handler.onMessage(LoadStatsRequest.encode(LoadStatsRequest.fromPartial(request)).finish());
  return { clock, collector, sent, ends, report };
}

function stats(clusterName: string, good: number, bad: number) {
  const half = { totalSuccessfulRequests: good / 2, totalErrorRequests: bad / 2 };
  return { clusterName, upstreamLocalityStats: [half, half] };
}

test('load reports become traffic of services, where they are sent and where they arrive', () => {
  const { clock, collector, sent, report } = open();
  report({ node: nodeOf('shop') });
  assert.deepEqual(
    sent.map(({ sendAllClusters, loadReportingInterval }) => [
      sendAllClusters,
      loadReportingInterval?.seconds,
    ]),
    [[true, 1]],
  );
  for (let second = 0; second < 10; second++) {
    clock.advance(1000);
    report({
      clusterStats: [
        stats('outbound|80|v1|reviews.books.svc.cluster.local', 8, 2),
        stats('inbound|80||', 4, 0),
        stats('PassthroughCluster', 4, 0),
        stats('outbound|443||example.com', 4, 0),
      ],
    });
  }
  clock.advance(1000);
  const services = collector
    .history(5)
    .services.map((one) => [one.namespace, one.service, one.requests[0], one.errors[0]]);
  assert.deepEqual(services, [
    ['books', 'reviews', 10, 2],
    ['shop', 'web', 4, 0],
  ]);
  assert.equal(sent.length, 1);
});

test('who reports must be who it says it is, and say it first', () => {
  const refused: readonly [Parameters<typeof LoadStatsRequest.fromPartial>[0], number][] = [
    [{ node: nodeOf('other') }, RpcCode.permissionDenied],
    [{ clusterStats: [stats('inbound|80||', 4, 0)] }, RpcCode.invalidArgument],
  ];
  for (const [request, code] of refused) {
    const { collector, ends, sent, report } = open();
    report(request);
    assert.equal(ends[0]?.code, code);
    assert.deepEqual(sent, []);
    assert.deepEqual(collector.history(5).services, []);
  }
});
