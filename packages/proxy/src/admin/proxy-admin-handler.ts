// THE list of the admin interface's paths: what each shows or does, and the parameters it takes.
import type { Clock } from '@heddle/base';
import type { MetricFamily } from '@heddle/telemetry';
import type { ThreadCommand } from '../threads/thread-command.ts';
import type { ProxyThreads } from '../threads/proxy-threads.ts';
import { type AdminHandler, type AdminRequest, type AdminResponse, textResponse } from './admin-message.ts';
import { certificatesPage, type CertificateEntry, daysUntilFirstExpiry } from './certificates-page.ts';
import { clustersPage } from './clusters-page.ts';
import type { DumpSource } from './config-dump.ts';
import { listenersPage } from './listeners-page.ts';
import { loggingPage } from './logging-page.ts';
import { initDumpPage } from './init-dump-page.ts';
import { runtimePage } from './runtime-page.ts';
import {
  hotRestartVersion,
  memoryPage,
  readyPage,
  type ServerDescription,
  serverInfoPage,
} from './server-info-page.ts';
import { prometheusPage, statsPage } from './stats-page.ts';

/** What the admin interface shows and steers. */
export interface AdminSubject {
  readonly threads: ProxyThreads;
  readonly clock: Clock;
  readonly description: ServerDescription;
  readonly configuration: DumpSource;
  readonly certificates: () => readonly CertificateEntry[];
  /** Asks for the end of the process, at once. */
  readonly quit: () => void;
}

interface AdminPath {
  readonly help: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** It changes something: only POST will do. */
  readonly isMutation?: true;
  readonly answer: (subject: AdminSubject, request: AdminRequest) => AdminResponse | Promise<AdminResponse>;
}

const done = textResponse('OK\n');
const withoutProfiler = textResponse(
  'There is no profiler here: start Node with --inspect, --cpu-prof or --heap-prof (NODE_OPTIONS).\n',
  501,
);
const withoutLookups = textResponse(
  'Names of counters are looked up when the configuration changes, never for a request.\n',
  501,
);

function doing(command: (query: URLSearchParams) => ThreadCommand): AdminPath['answer'] {
  return ({ threads }, { query }) => {
    threads.run(command(query));
    return done;
  };
}

const statsParameters = {
  usedonly: 'Only what has counted something, or has been set, since the start',
  filter: 'Regular expression for names, such as cluster.be.upstream_rq; tried in linear time, as RE2 does',
  invert_filter: 'Leave out what the filter finds',
};

const drain = doing((query) => ({
  type: 'drain-listeners',
  drain: {
    isGraceful: query.has('graceful'),
    inboundOnly: query.has('inboundonly'),
    keepsListeners: query.has('skip_exit'),
  },
}));

/** By path; `/` and `/help` list them. */
const paths: Readonly<Record<string, AdminPath>> = {
  '/certs': {
    help: 'certificates in use, with days until they expire',
    answer: ({ certificates, clock }) => certificatesPage(certificates(), clock.now()),
  },
  '/clusters': {
    help: 'clusters and their endpoints',
    parameters: { filter: 'Regular expression for names of clusters', format: 'One of (text, json)' },
    answer: async ({ threads, configuration }, { query }) =>
      clustersPage(await threads.clusters(), configuration.isStatic, query),
  },
  '/config_dump': {
    help: 'the configuration in force; private keys are redacted',
    parameters: {
      resource: 'One list of it, such as dynamic_listeners',
      mask: 'Fields to show, such as cluster.name (protobuf FieldMask)',
      name_regex: 'Regular expression for names',
      include_eds: 'With load assignments',
    },
    // Messages' descriptions are large, and a proxy whose dump nobody asks for has no use for them.
    answer: async ({ configuration, threads }, { query }) => {
      const { configDumpPage } = await import('./config-dump.ts');
      const clusters = query.has('include_eds') ? await threads.clusters() : [];
      return configDumpPage(configuration, query, clusters);
    },
  },
  '/contention': {
    help: 'waiting for locks: there is none',
    answer: () => textResponse('Threads share no locks that requests wait for: there is nothing to trace.\n'),
  },
  '/cpuprofiler': { help: 'see the answer', isMutation: true, answer: () => withoutProfiler },
  '/heapprofiler': { help: 'see the answer', isMutation: true, answer: () => withoutProfiler },
  '/heap_dump': { help: 'see the answer', answer: () => withoutProfiler },
  '/allocprofiler': { help: 'see the answer', isMutation: true, answer: () => withoutProfiler },
  '/drain': {
    help: 'the same as /drain_listeners?graceful',
    isMutation: true,
    answer: doing(() => ({
      type: 'drain-listeners',
      drain: { isGraceful: true, inboundOnly: false, keepsListeners: false },
    })),
  },
  '/drain_listeners': {
    help: 'stop accepting connections',
    parameters: {
      graceful: 'Ask clients to go elsewhere for the drain time before (--drain-time-s)',
      skip_exit: 'Ask clients to go elsewhere, and never stop accepting',
      inboundonly: 'Listeners of traffic_direction INBOUND only',
    },
    isMutation: true,
    answer: drain,
  },
  '/healthcheck/fail': {
    help: '/ready says 503, and every response closes its connection',
    isMutation: true,
    answer: doing(() => ({ type: 'health-check', isFailed: true })),
  },
  '/healthcheck/ok': {
    help: 'takes /healthcheck/fail back',
    isMutation: true,
    answer: doing(() => ({ type: 'health-check', isFailed: false })),
  },
  '/hot_restart_version': {
    help: 'whether the process can be replaced in place',
    answer: ({ description }) => textResponse(`${hotRestartVersion(description)}\n`),
  },
  '/init_dump': {
    help: 'clusters that listeners wait for',
    answer: ({ threads }) => initDumpPage(threads.proxy),
  },
  '/listeners': {
    help: 'bound listeners',
    parameters: { format: 'One of (text, json)' },
    answer: ({ threads }, { query }) => listenersPage(threads.proxy.listeners.listeners, query),
  },
  '/logging': {
    help: 'show and change levels of logs',
    parameters: {
      level: 'Change all levels; one of (trace, debug, info, warning, error, critical, off)',
      paths: 'Change several, such as main:debug,listener:info',
    },
    isMutation: true,
    answer: ({ threads }, { query }) =>
      threads.loggers === null
        ? textResponse('the levels of logs are fixed here\n', 501)
        : loggingPage(
            query,
            () => threads.loggers!.levels,
            (name, level) => threads.run({ type: 'log-level', name, level }),
          ),
  },
  '/memory': { help: 'memory in use', answer: () => memoryPage() },
  '/quitquitquit': {
    help: 'end the process',
    isMutation: true,
    answer: ({ quit, clock }) => {
      // The answer goes out first.
      clock.setTimer(0, quit);
      return done;
    },
  },
  '/ready': {
    help: 'the state: 200 if LIVE, otherwise 503',
    answer: ({ threads }) => readyPage(threads.state),
  },
  '/reopen_logs': {
    help: 'open access logs anew, after a rotation',
    isMutation: true,
    answer: doing(() => ({ type: 'reopen-logs' })),
  },
  '/reset_counters': {
    help: 'start all counters at 0',
    isMutation: true,
    answer: doing(() => ({ type: 'reset-counters' })),
  },
  '/runtime': {
    help: 'values of layered_runtime',
    answer: ({ configuration }) => runtimePage(configuration.runtime),
  },
  '/runtime_modify': {
    help: 'see the answer',
    isMutation: true,
    answer: () =>
      textResponse(
        'Runtime values come from the bootstrap file alone: change it there and upgrade in place.\n',
        503,
      ),
  },
  '/server_info': {
    help: 'version, state, options and node',
    answer: ({ threads, description }) =>
      serverInfoPage(description, threads.state, threads.proxy.metrics.uptimeSeconds),
  },
  '/stats': {
    help: 'counters, gauges and histograms',
    parameters: {
      ...statsParameters,
      format: 'One of (text, json, prometheus)',
      type: 'One of (All, Counters, Gauges, Histograms, TextReadouts)',
      histogram_buckets: 'One of (summary, cumulative, disjoint, detailed)',
    },
    answer: async (subject, { query }) => statsPage(await familiesOf(subject), query),
  },
  '/stats/recentlookups': { help: 'see the answer', answer: () => withoutLookups },
  '/stats/recentlookups/clear': { help: 'see the answer', isMutation: true, answer: () => withoutLookups },
  '/stats/recentlookups/disable': { help: 'see the answer', isMutation: true, answer: () => withoutLookups },
  '/stats/recentlookups/enable': { help: 'see the answer', isMutation: true, answer: () => withoutLookups },
  '/stats/prometheus': {
    help: "the same in Prometheus's text format",
    parameters: { ...statsParameters, histogram_buckets: 'One of (cumulative, summary)' },
    answer: async (subject, { query }) => prometheusPage(await familiesOf(subject), query),
  },
};

/** The admin interface as Envoy's users know it. */
export function proxyAdminHandler(subject: AdminSubject): AdminHandler {
  return (request) => {
    const { method, path } = request;
    if (path === '/' || path === '/help') return textResponse(helpText());
    const known = Object.hasOwn(paths, path) ? paths[path] : undefined;
    if (known === undefined) return textResponse(`invalid path. ${helpText()}`, 404);
    if (known.isMutation === true && method !== 'POST') {
      return textResponse(`Method ${method} not allowed, POST required.`, 405);
    }
    if (!['GET', 'HEAD', 'POST'].includes(method)) {
      return textResponse(`Method ${method} not allowed, GET required.`, 405);
    }
    return known.answer(subject, request);
  };
}

function helpText(): string {
  let text = 'admin commands are:\n';
  for (const [path, { help, parameters = {}, isMutation }] of Object.entries(paths)) {
    text += `  ${path}${isMutation === true ? ' (POST)' : ''}: ${help}\n`;
    for (const [name, meaning] of Object.entries(parameters)) text += `      ${name}: ${meaning}\n`;
  }
  return text;
}

async function familiesOf({
  threads,
  clock,
  description,
  certificates,
}: AdminSubject): Promise<readonly MetricFamily[]> {
  const { proxy } = threads;
  const { listeners } = proxy;
  proxy.metrics.update({
    state: threads.state,
    concurrency: threads.concurrency,
    epoch: description.epoch,
    listenersActive: listeners.listeners.length,
    listenersDraining: listeners.drainingCount,
    clustersActive: [...proxy.config.clusters.names].length,
    daysUntilExpiry: daysUntilFirstExpiry(certificates(), clock.now()),
  });
  return await threads.families();
}
