// The program of a sidecar: one argument, the path of its options file; an IPC channel to its supervisor.
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import {
  HeddleError,
  type Logger,
  createLogger,
  errorMessage,
  ok,
  systemClock,
  systemRandom,
} from '@heddle/base';
import { RenewalSchedule, type WorkloadIdentity, joinMesh } from '@heddle/identity';
import { MetricRegistry } from '@heddle/telemetry';
import type { CertificateEntry } from '../admin/certificates-page.ts';
import { AdminServer } from '../admin/admin-server.ts';
import { proxyAdminHandler } from '../admin/proxy-admin-handler.ts';
import { Http2Metrics } from '../stats/http2-metrics.ts';
import { IdleTrim } from '../stack/idle-trim.ts';
import { trimMemory } from '../stack/trim-memory.ts';
import { Loggers } from '../stack/loggers.ts';
import { MainSockets } from '../threads/shared-sockets.ts';
import { InheritedSockets } from '../transport/socket-source.ts';
import { makeViaName } from '../stack/proxy.ts';
import { systemDns } from '../dns/system-dns.ts';
import { NodeDatagrams } from '../transport/node/node-datagrams.ts';
import { NodeTransport } from '../transport/node/node-transport.ts';
import { openTransport } from '../transport/open-transport.ts';
import { certificateRequester } from './certificate-requests.ts';
import { connectToControlPlane, controlPlaneCluster } from './control-plane-link.ts';
import { receiveSockets, sendSockets } from './hand-over.ts';
import { IdentitySecrets } from './link-secrets.ts';
import type { FromSidecar, ToSidecar } from './messages.ts';
import { nodeOf } from './node-metadata.ts';
import { joinOptionsOf, obtainIdentity } from './obtain-identity.ts';
import { rejoining } from './rejoining.ts';
import type { SidecarOptions } from './options.ts';
import { Sidecar, sidecarDrain } from './sidecar.ts';
import { SnapshotFile } from './snapshot-file.ts';

function tell(message: FromSidecar): void {
  if (process.connected) process.send!(message);
}

/** Ends with the sentence that the supervisor shows. */
function fail(error: HeddleError, logger: Logger): never {
  logger.error('The sidecar cannot start', { code: error.code, reason: error.message });
  tell({ type: 'failed', code: error.code, message: error.message });
  process.exit(1);
}

/** A snapshot made under other ports or another name is not for this life. */
function snapshotPath(options: SidecarOptions): string {
  const digest = createHash('sha256')
    .update(JSON.stringify(nodeOf(options)))
    .digest('hex')
    .slice(0, 16);
  return join(options.stateDirectory, `configuration-${digest}.snapshot`);
}

function describeNode(options: SidecarOptions): Readonly<Record<string, unknown>> {
  const { id, cluster } = nodeOf(options);
  return { id, cluster };
}

function certificateEntryOf(identity: WorkloadIdentity): CertificateEntry {
  const { serial, notBeforeMs, notAfterMs } = identity.certificate;
  const uriSans = [identity.id];
  const chain = [{ path: '', serial, uriSans, dnsSans: [], ipSans: [], notBeforeMs, notAfterMs }];
  return { authorities: [], chain };
}

async function run(options: SidecarOptions): Promise<void> {
  let idleTrim: IdleTrim | null = null;
  const level = options.logLevel === 'warn' ? 'warning' : options.logLevel;
  const loggers = new Loggers(level, { instance: options.instance });
  const logger = loggers.get('main');
  const obtained = await obtainIdentity(options, systemClock, logger);
  const identity = obtained.ok ? obtained.value : fail(obtained.error, logger);
  const shared = { viaName: makeViaName(systemRandom), ticketSecret: randomBytes(32) };
  const { concurrency } = options;
  const workers =
    concurrency > 1
      ? (await import('./start-workers.ts')).startWorkers(options, {
          level,
          identity,
          shared,
          loggers,
          catchUp: () => sidecar.catchUp(),
          onFailed: (error) => fail(error, logger),
        })
      : null;
  const inherited = new InheritedSockets(receiveSockets());
  const datagrams = new NodeDatagrams(inherited);
  const transport = openTransport(systemClock, loggers.get('connection'), {
    sockets: new MainSockets(inherited, concurrency, workers),
    ticketSecret: shared.ticketSecret,
  });
  const adminTransport = new NodeTransport(systemClock, loggers.get('connection'), {
    sockets: new MainSockets(inherited, 1, null),
  });
  const snapshotFile = new SnapshotFile(snapshotPath(options), systemClock, logger);
  const snapshot = await snapshotFile.load();
  const registry = new MetricRegistry();
  const rpc = connectToControlPlane({
    identity,
    transport,
    clock: systemClock,
    random: systemRandom,
    logger,
    metrics: new Http2Metrics(registry.scope(), controlPlaneCluster),
  });
  const renewals = new RenewalSchedule({
    renewable: rejoining(identity.renewal(certificateRequester(rpc)), {
      clock: systemClock,
      logger,
      rejoin: async () => {
        const joined = await joinMesh(joinOptionsOf(options, systemClock, logger));
        if (joined.ok) identity.adopt(joined.value);
        return joined.ok ? ok(undefined) : joined;
      },
    }),
    name: identity.id,
    clock: systemClock,
    random: systemRandom,
    logger,
  });
  const sidecar: Sidecar = new Sidecar(options, {
    workers,
    viaName: shared.viaName,
    registry,
    transport,
    dns: systemDns(systemClock, datagrams, true),
    rpc,
    clock: systemClock,
    random: systemRandom,
    loggers,
    drain: sidecarDrain,
    secrets: new IdentitySecrets(identity),
    identity: identity.id,
    onTrustBundleChanged: (_name, roots) => {
      void identity.replaceBundle(roots).then(() => renewals.check());
    },
    onReady: (source) => {
      trimMemory();
      idleTrim ??= new IdleTrim(systemClock);
      void (workers?.settled() ?? Promise.resolve())
        // One that takes over answers for the instance from now on, and keeps no socket that nobody asked for.
        .then(() => openAdmin())
        .then(() => {
          for (const descriptor of inherited.takeRest()) closeSync(descriptor);
          tell({ type: 'ready', source, identity: identity.id });
        });
      // Written now because a process that is killed writes nothing at its end.
      flushCompileCache();
    },
    onPublished: () => tell({ type: 'published' }),
    onPublishRefused: (message) => {
      logger.error('Instance refused', { reason: message });
      tell({ type: 'warning', code: 'HEDDLE_INSTANCE_REFUSED', message });
    },
    onFailed: (error) => fail(error, logger),
    onRefused: (message) => {
      logger.error('Configuration refused', { reason: message });
      tell({ type: 'warning', code: 'HEDDLE_CONFIGURATION_REFUSED', message });
    },
    onConfigured: (current) => snapshotFile.changed(current),
  });
  const { address: host, port } = options.admin;
  const handler = proxyAdminHandler({
    threads: sidecar.threads,
    clock: systemClock,
    description: {
      options: { concurrency: options.concurrency },
      node: describeNode(options),
      engine: transport.engine,
      epoch: 0,
    },
    configuration: {
      bootstrap: null,
      isStatic: false,
      startedAt: new Date(systemClock.now()),
      runtime: [],
      resources: () => sidecar.resources(),
    },
    certificates: () => [certificateEntryOf(identity)],
    quit: () => end(),
  });
  let admin: AdminServer | null = null;
  const openAdmin = async (): Promise<void> => {
    admin ??= await AdminServer.start(adminTransport, { host, port }, sidecar.proxy.context, handler);
  };
  if (inherited.isEmpty) await openAdmin();
  const end = (): void => {
    idleTrim?.close();
    renewals.close();
    void Promise.all([sidecar.close(), admin?.close(), snapshotFile.close()]).finally(() => process.exit(0));
  };
  const succession: Succession = {
    handOver: async () => {
      // What one of the two bound from now on, the other could not.
      await sidecar.proxy.gate.hold();
      await snapshotFile.flush();
      const own = [transport, adminTransport, datagrams].flatMap((one) => one.openSockets());
      await sendSockets([...own, ...((await workers?.openSockets()) ?? [])]);
    },
    stay: () => sidecar.proxy.gate.release(),
    depart: async (timeoutMs) => {
      for (const one of [transport, adminTransport]) one.handOver();
      // Both are the other one's from now on.
      renewals.close();
      await Promise.all([admin?.close(), snapshotFile.close()]);
      await sidecar.depart(timeoutMs);
      end();
    },
  };
  process.on('message', (message: ToSidecar) => receive(message, sidecar, succession, logger, end));
  process.on('disconnect', end);
  // The supervisor decides the order in which things end: a Ctrl-C in the terminal reaches this process too, and is not for it.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => {
    if (!process.connected) end();
  });
  if (!process.connected) end();
  sidecar.start(snapshot);
  renewals.start();
}

/** What a sidecar does for the one that takes over. */
interface Succession {
  handOver(): Promise<void>;
  stay(): void;
  depart(timeoutMs: number): Promise<void>;
}

function receive(
  message: ToSidecar,
  sidecar: Sidecar,
  succession: Succession,
  logger: Logger,
  end: () => void,
): void {
  switch (message.type) {
    case 'app-started':
      sidecar.applicationStarted();
      break;
    case 'withdraw':
      void sidecar.withdraw(message.timeoutMs).then((outcome) => tell({ type: 'withdrawn', ...outcome }));
      break;
    case 'drain':
      void sidecar.drain(message.timeoutMs).then((open) => tell({ type: 'drained', open }));
      break;
    case 'hand-over':
      succession.handOver().then(
        () => tell({ type: 'handed-over' }),
        // The supervisor waits in vain, says so, and everything stays as it is.
        (error: unknown) => logger.error('Sockets cannot be handed over', { reason: errorMessage(error) }),
      );
      break;
    case 'stay':
      succession.stay();
      break;
    case 'depart':
      void succession.depart(message.timeoutMs);
      break;
    case 'stop':
      end();
      break;
    default:
      break;
  }
}

const [optionsPath] = process.argv.slice(2);
if (optionsPath === undefined) {
  process.stderr.write('usage: main.ts <options.json>\n');
  process.exit(2);
}
const options = JSON.parse(readFileSync(optionsPath, 'utf8')) as SidecarOptions;
run(options).catch((error: unknown) => {
  const failure =
    error instanceof HeddleError ? error : new HeddleError('HEDDLE_INTERNAL', errorMessage(error));
  fail(failure, createLogger({ fields: { instance: options.instance } }));
});
