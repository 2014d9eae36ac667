// `heddle up`: the control plane in the foreground.
import { once } from 'node:events';
import { relative, resolve } from 'node:path';
import { styleText } from 'node:util';
import { createLogger, errorMessage, HeddleError, type Logger, systemClock } from '@heddle/base';
import { type RunningControlPlane, startControlPlane } from '@heddle/control-plane';
import { CliError } from '../cli-error.ts';
import type { UpFlags } from '../commands/up.ts';
import { keepStore } from '../demo/demo-store.ts';
import { ExitCode } from '../exit-code.ts';
import { watchNpm } from '../npm-parent.ts';
import { shellWord } from '../output/shell-word.ts';
import { type EndRequests, listenForEnd } from '../signals.ts';
import { heddleVersion } from '../version.ts';
import { datastoreOf } from '../datastore/datastore-of.ts';
import { dashboardDirectory, updateDashboard } from './dashboard-files.ts';
import { requireDistinctPorts } from './distinct-ports.ts';
import { oidcOf } from './oidc-of.ts';
import { renderLogLine } from './log-line.ts';
import type { UpMessage } from './up-message.ts';

const style = (format: 'bold' | 'cyan' | 'dim', text: string): string =>
  styleText(format, text, { stream: process.stdout });

/** Warnings for people at a terminal, JSON for programs that collect logs. HEDDLE_DEBUG=1 shows everything. */
function terminalLogger(): Logger {
  const level = process.env['HEDDLE_DEBUG'] === '1' ? 'debug' : process.stderr.isTTY ? 'warn' : 'info';
  if (!process.stderr.isTTY) return createLogger({ level });
  return createLogger({ level, sink: (line) => process.stderr.write(renderLogLine(line)) });
}

/** What a port's flag is, by the words with which its failure begins. */
function explain(error: unknown, flags: UpFlags): unknown {
  if (!(error instanceof HeddleError)) return error;
  const hint =
    error.code === 'HEDDLE_PORT_IN_USE'
      ? `other ports: --api-port ${flags.apiPort + 1000} --xds-port ${flags.xdsPort + 1000} --join-port ${flags.joinPort + 1000}`
      : '';
  return new CliError(error.code, error.message, { hint, cause: error });
}

async function printStart(flags: UpFlags, running: RunningControlPlane): Promise<void> {
  const print = (text = ''): void => {
    process.stdout.write(`${text}\n`);
  };
  const { dashboardToken, addresses } = running;
  const url = `http://${addresses.api}/`;
  print(`${style('bold', 'Heddle')} ${heddleVersion()}: control plane of ${resolve(flags.store)}\n`);
  if (dashboardToken === null) {
    print(`  Dashboard  ${style('cyan', url)}`);
    print(`             ${style('dim', 'heddle token create --kind dashboard makes another for looking')}`);
  } else {
    print(`  Dashboard  ${style('cyan', `${url}#token=${dashboardToken}`)}`);
    print(`             ${style('dim', 'the token is shown this once')}`);
  }
  const store =
    flags.store === '.heddle'
      ? ''
      : ` --store ${shellWord(relative(process.cwd(), resolve(flags.store)) || '.')}`;
  print(`  Run        heddle run${store} --service NAME --port PORT -- COMMAND`);
  const { token, joinCommand } = await running.createJoinToken({ kind: 'join' });
  print('\nTo run one workload on another machine, within the hour:\n');
  print(`  export HEDDLE_TOKEN=${token}`);
  print(`  ${joinCommand ?? ''}`);
  if (flags.bind === '127.0.0.1' || flags.bind === '::1') {
    print(style('dim', '  (others reach this control plane once it is started with --bind 0.0.0.0)'));
  }
  print('\nCtrl-C ends it; applications and their sidecars go on serving.');
}

/** The demo starts us with an IPC channel, and wants us to end with it. */
function tellParent(message: UpMessage): void {
  process.send?.(message);
}

async function serve(flags: UpFlags, end: EndRequests): Promise<number> {
  requireDistinctPorts({
    '--api-port': flags.apiPort,
    '--xds-port': flags.xdsPort,
    '--join-port': flags.joinPort,
  });
  const isChild = process.send !== undefined;
  const dashboard = updateDashboard();
  const oidc = await oidcOf(flags);
  let running: RunningControlPlane;
  try {
    running = await startControlPlane({
      storeDirectory: resolve(flags.store),
      datastore: await datastoreOf(flags),
      bindAddress: flags.bind,
      apiPort: flags.apiPort,
      xdsPort: flags.xdsPort,
      joinPort: flags.joinPort,
      trustDomain: flags.trustDomain,
      ...(oidc === undefined ? {} : { oidc }),
      dashboardDirectory: dashboardDirectory(),
      version: heddleVersion(),
      logger: terminalLogger(),
    });
  } catch (error) {
    throw explain(error, flags);
  }
  const parentGone = isChild ? once(process, 'disconnect') : new Promise(() => undefined);
  if (isChild) {
    const dashboardToken = running.dashboardToken ?? running.createDashboardToken();
    tellParent({ type: 'ready', dashboardUrl: `http://${running.addresses.api}/`, dashboardToken });
  } else {
    // From now on the store is a mesh that somebody uses, also if it was the demo's.
    await keepStore(resolve(flags.store));
    const problem = await dashboard;
    if (problem !== '') process.stderr.write(`warning: ${problem}\n`);
    await printStart(flags, running);
  }
  await Promise.race([end.signal.aborted ? undefined : once(end.signal, 'abort'), parentGone]);
  if (!isChild && process.stdout.isTTY) process.stdout.write('\nStopping …\n');
  await Promise.race([running.close(), once(end.force, 'abort')]);
  return ExitCode.ok;
}

/** `heddle up`. */
export async function up(flags: UpFlags): Promise<number> {
  const end = listenForEnd();
  void watchNpm(systemClock, 'npx', () => end.request(), end.signal);
  try {
    const code = await serve(flags, end);
    if (process.connected) process.disconnect?.();
    return code;
  } catch (error) {
    const code = error instanceof HeddleError ? error.code : 'HEDDLE_CONTROL_PLANE_FAILED';
    const hint = error instanceof CliError ? error.hint : '';
    tellParent({ type: 'failed', code, message: errorMessage(error), hint });
    if (process.connected) process.disconnect?.();
    throw error;
  } finally {
    end.release();
  }
}
