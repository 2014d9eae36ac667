// What the admin interfaces of real Envoy and of heddle proxy answer to the same questions: the status; of JSON which fields
// there are, of text which lines. Ours may tell more, and tells everything that Envoy does but for what stands here.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { skipWithout, temporaryDirectory } from '@heddle/testkit';
import { makeCertificates } from './support/certificates.ts';
import { envoy, openssl, ourProgram, theirProgram } from './support/programs.ts';
import { Side } from './support/side.ts';

interface Question {
  /** Method and path. */
  readonly ask: string;
  readonly status?: number;
  /** What of Envoy's answer ours has not got, as the beginning of a field's path or of a line. */
  readonly without?: readonly string[];
  /** Their status differs, for this reason. */
  readonly theirs?: readonly [status: number, reason: string];
}

const questions: readonly Question[] = [
  { ask: 'GET /certs' },
  { ask: 'GET /clusters' },
  { ask: 'GET /clusters?format=json' },
  { ask: 'GET /clusters?filter=^be$' },
  { ask: 'GET /clusters?format=x', status: 400, theirs: [200, 'Envoy takes an unknown format for text'] },
  // Envoy shows its extensions and build as part of the node.
  { ask: 'GET /config_dump', without: ['configs[].bootstrap.node'] },
  { ask: 'GET /config_dump?include_eds', without: ['configs[].bootstrap.node', ...activeHealth()] },
  { ask: 'GET /config_dump?resource=static_clusters' },
  { ask: 'GET /config_dump?resource=static_clusters&mask=cluster.name' },
  { ask: 'GET /config_dump?resource=static_clusters&name_regex=nobody' },
  { ask: 'GET /config_dump?resource=static_listeners&name_regex=in' },
  { ask: 'GET /config_dump?resource=static_route_configs' },
  { ask: 'GET /config_dump?resource=static_endpoint_configs&include_eds', without: activeHealth() },
  { ask: 'GET /config_dump?resource=static_endpoint_configs', status: 404 },
  { ask: 'GET /config_dump?resource=dynamic_listeners' },
  { ask: 'GET /config_dump?resource=bootstrap', status: 400 },
  { ask: 'GET /config_dump?resource=nope', status: 404 },
  { ask: 'GET /config_dump?mask=nope', status: 400 },
  { ask: 'GET /config_dump?name_regex=(', status: 400 },
  { ask: 'GET /contention', without: ['Mutex'] },
  { ask: 'GET /cpuprofiler', status: 405 },
  { ask: 'POST /drain_listeners?skip_exit' },
  { ask: 'POST /heapprofiler', status: 501 },
  { ask: 'GET /hot_restart_version', without: ['disabled'] },
  { ask: 'GET /init_dump' },
  { ask: 'GET /listeners' },
  { ask: 'GET /listeners?format=json' },
  { ask: 'GET /logging', status: 405 },
  { ask: 'POST /logging?level=loud', status: 400 },
  { ask: 'GET /memory' },
  { ask: 'GET /nothing', status: 404 },
  { ask: 'GET /ready' },
  { ask: 'POST /reopen_logs' },
  { ask: 'GET /reset_counters', status: 405 },
  { ask: 'POST /reset_counters' },
  { ask: 'GET /runtime' },
  { ask: 'POST /runtime_modify?a=b', status: 503 },
  { ask: 'GET /server_info', without: ['command_line_options', 'node', 'hot_restart_initializing'] },
  { ask: 'GET /stats?filter=^cluster.be.upstream_rq_(total|active|time)$' },
  { ask: 'GET /stats?filter=^cluster.be.upstream_rq_(total|active|time)$&usedonly' },
  { ask: 'GET /stats?filter=^http.in.downstream_(rq|cx)_(total|active)$&type=Gauges' },
  { ask: 'GET /stats?filter=^http.in.downstream_rq_time$&format=json' },
  { ask: 'GET /stats?filter=^http.in.downstream_rq_time$&format=json&histogram_buckets=cumulative' },
  { ask: 'GET /stats?filter=^http.in.downstream_rq_time$&format=json&histogram_buckets=disjoint' },
  { ask: 'GET /stats?filter=^http.in.downstream_rq_time$&format=json&histogram_buckets=detailed' },
  { ask: 'GET /stats?histogram_buckets=nope', status: 400 },
  { ask: 'GET /stats?type=nope', status: 400 },
  { ask: 'GET /stats?format=nope', status: 400 },
  { ask: 'GET /stats?filter=(', status: 400 },
  { ask: 'GET /stats/prometheus?filter=^http.in.downstream_rq_(total|time)$' },
  { ask: 'GET /stats/prometheus?filter=^http.in.downstream_rq_(total|time)$&histogram_buckets=summary' },
  { ask: 'GET /stats/prometheus?filter=^http.in.downstream_rq_(timeout|active)$&usedonly' },
  {
    ask: 'GET /stats/recentlookups',
    status: 501,
    theirs: [200, 'names are never looked up for a request here'],
  },
];

/** What belongs to active health checks and metadata of hosts in a dump of endpoints. */
function activeHealth(): string[] {
  const host = 'endpoint_config.endpoints[].lb_endpoints[]';
  return [
    `configs[].${host}.endpoint.health_check_config`,
    `configs[].static_endpoint_configs[].${host}.endpoint.health_check_config`,
    `configs[].${host}.metadata`,
    `configs[].static_endpoint_configs[].${host}.metadata`,
    'configs[].endpoint_config.endpoints[].load_balancing_weight',
    'configs[].static_endpoint_configs[].endpoint_config.endpoints[].load_balancing_weight',
    'configs[].endpoint_config.policy',
    'configs[].static_endpoint_configs[].endpoint_config.policy',
  ];
}

/** The paths of a JSON value's fields; elements of lists stand for each other. */
function fieldsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((element) => fieldsOf(element, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [path];
  const members = Object.entries(value);
  return [
    path,
    ...members.flatMap(([key, member]) => fieldsOf(member, path === '' ? key : `${path}.${key}`)),
  ];
}

/** What an answer tells: fields of JSON, or what lines begin with, without what differs from run to run. */
function partsOf(body: string): Set<string> {
  if (body.startsWith('{')) return new Set(fieldsOf(JSON.parse(body)));
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('# HELP'));
  return new Set(
    lines.map((line) =>
      line.replaceAll(/127\.0\.0\.1:\d+/g, 'ADDRESS').replace(/(?:(::)[^:]*|: .*| [^ ]*)$/, '$1'),
    ),
  );
}

describe('the admin interfaces of Envoy and heddle proxy', { skip: skipWithout({ envoy, openssl }) }, () => {
  const open: { close(): Promise<void> }[] = [];
  let ours: Side;
  let theirs: Side;

  before(async () => {
    const directory = await temporaryDirectory();
    open.push({ close: () => directory[Symbol.asyncDispose]() });
    const certificates = await makeCertificates(openssl!, directory.path);
    theirs = await Side.start(theirProgram, 'tls-mutual', directory.path, certificates);
    open.push(theirs);
    ours = await Side.start(ourProgram, 'tls-mutual', directory.path, certificates);
    open.push(ours);
  });

  after(async () => {
    for (const one of open.toReversed()) await one.close();
  });

  for (const { ask, status = 200, without = [], theirs: different } of questions) {
    test(ask, async () => {
      const [method = '', path = ''] = ask.split(' ');
      const [our, their] = [await ours.ask(method, path), await theirs.ask(method, path)];
      assert.deepEqual([our.status, their.status], [status, different?.[0] ?? status], our.body);
      if (status !== 200 || different !== undefined) return;
      const known = partsOf(our.body);
      const missing = [...partsOf(their.body)].filter(
        (part) => !known.has(part) && !without.some((start) => part.startsWith(start)),
      );
      assert.deepEqual(missing, []);
    });
  }
});
