// `heddle proxy`: the data plane alone, configured by a file.
import { once } from 'node:events';
import { openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { MessageChannel } from 'node:worker_threads';
import { errorMessage, type HeddleError, systemClock, systemErrorCode, systemRandom } from '@heddle/base';
import { StaticProxy, type StaticProxyOptions } from '@heddle/proxy/bootstrap';
import { Loggers } from '@heddle/proxy/loggers';
import { IdleTrim } from '@heddle/proxy/idle-trim';
import { trimMemory } from '@heddle/proxy/trim-memory';
import { CliError } from '../cli-error.ts';
import type { ProxyFlags } from '../commands/proxy.ts';
import { ExitCode } from '../exit-code.ts';
import { listenForEnd } from '../signals.ts';
import { readProxyConfig } from './read-config.ts';
import { announceSuccession, receiveSuccession, startSuccessor, type Succession } from './successor.ts';

/** Does what writes to a file that a flag names. */
function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const why =
      systemErrorCode(error) === 'ENOENT'
        ? 'there is no such directory'
        : systemErrorCode(error) || errorMessage(error);
    throw new CliError('HEDDLE_FILE_UNWRITABLE', `can't write to '${path}': ${why}`, { cause: error });
  }
}

function createLoggers({ logLevel, logPath }: ProxyFlags): Loggers {
  const level = process.env['HEDDLE_DEBUG'] === '1' ? 'debug' : logLevel;
  if (logPath === undefined) return new Loggers(level);
  const descriptor = writing(logPath, () => openSync(logPath, 'a', 0o640));
  return new Loggers(level, {}, (line) => writeSync(descriptor, line));
}

/** What the admin interface shows of the flags, under Envoy's names. */
function describeOptions(flags: ProxyFlags): Readonly<Record<string, unknown>> {
  return {
    concurrency: flags.concurrency,
    config_path: flags.bootstrap ?? flags.configPath ?? '',
    config_yaml: flags.configYaml ?? '',
    log_level: flags.logLevel,
    log_path: flags.logPath ?? '',
    admin_address_path: flags.adminAddressPath ?? '',
    service_node: flags.serviceNode ?? '',
    service_cluster: flags.serviceCluster ?? '',
    drain_time: `${flags.drainTimeS / 1000}s`,
    drain_strategy: flags.drainStrategy === 'gradual' ? 'Gradual' : 'Immediate',
    parent_shutdown_time: `${flags.parentShutdownTimeS / 1000}s`,
    mode: flags.mode === 'serve' ? 'Serve' : 'Validate',
    disable_hot_restart: flags.disableHotRestart,
  };
}

/** Reads the configuration and starts what it says; nothing of what was read outlives the call. */
async function start(
  flags: ProxyFlags,
  { epoch, sockets }: Succession,
  events: Pick<StaticProxyOptions, 'stopped' | 'onQuit' | 'onFailed'>,
): Promise<StaticProxy> {
  const config = await readProxyConfig(flags);
  const started = await StaticProxy.start(config.source, {
    clock: systemClock,
    random: systemRandom,
    loggers: createLoggers(flags),
    drain: { drainTimeMs: flags.drainTimeS, strategy: flags.drainStrategy },
    concurrency: flags.concurrency,
    inherited: sockets,
    description: { options: describeOptions(flags), epoch },
    ...events,
  });
  if (!started.ok) throw config.refuse(started.error);
  return started.value;
}

/** Says where it listens, to people and to files. */
function announce(running: StaticProxy, { adminAddressPath, pidFile }: ProxyFlags): void {
  for (const { name, address } of running.listeners) {
    process.stderr.write(`heddle: listener ${name} on ${address}\n`);
  }
  if (running.admin !== null) process.stderr.write(`heddle: admin on ${running.admin}\n`);
  if (adminAddressPath !== undefined && running.admin !== null) {
    const { admin } = running;
    writing(adminAddressPath, () => writeFileSync(adminAddressPath, admin));
  }
  if (pidFile !== undefined) writing(pidFile, () => writeFileSync(pidFile, `${process.pid}\n`));
}

/** Takes the file away, unless a successor has written its own id there. */
function removePidFile({ pidFile }: ProxyFlags): void {
  if (pidFile === undefined) return;
  try {
    if (readFileSync(pidFile, 'utf8').trim() === String(process.pid)) rmSync(pidFile);
  } catch {
    // Somebody else has taken it away.
  }
}

async function validate(flags: ProxyFlags): Promise<number> {
  const config = await readProxyConfig(flags);
  const { validateBootstrap } = await import('@heddle/proxy/validate');
  const problems = validateBootstrap(config.source, systemClock, systemRandom);
  if (problems.length > 0) throw config.refuse(problems);
  process.stdout.write(`configuration '${config.source.file}' OK\n`);
  return ExitCode.ok;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/**
 * Replaces this process by a new one of the same program, which may be another version of it by now. True once this one
 * has nothing left to do; false where the new one can't start and this one goes on.
 */
async function replace(running: StaticProxy, epoch: number, flags: ProxyFlags): Promise<boolean> {
  const failure = await startSuccessor({ epoch: epoch + 1, sockets: await running.openSockets() });
  if (failure !== null) {
    process.stderr.write(`heddle: the new process does not serve, this one goes on: ${failure}\n`);
    return false;
  }
  process.stderr.write(`heddle: a new process serves, ${process.pid} ends when its connections have\n`);
  await running.departure(flags.parentShutdownTimeS);
  return true;
}

/** `heddle proxy`. */
export async function proxy(flags: ProxyFlags): Promise<number> {
  const succession = receiveSuccession();
  if (flags.mode === 'validate') return await validate(flags);
  const end = listenForEnd();
  const stop = new AbortController();
  let failure: HeddleError | null = null;
  let running: StaticProxy | null = null;
  let isReplacing = false;
  // From the first moment: nobody else takes these signals, and they would end the process.
  const handlers = {
    SIGUSR1: () => running?.reopenLogs(),
    SIGUSR2: () => {
      if (running === null || isReplacing || flags.disableHotRestart) return;
      isReplacing = true;
      void replace(running, succession.epoch, flags).then((isDone) => {
        isReplacing = isDone;
        if (isDone) stop.abort();
      });
    },
  };
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  // Timers keep no process alive, and there may be nothing else: while clusters are waited for, and at the end, while a full
  // pipe takes the last lines of a log.
  const { port1: alive } = new MessageChannel();
  alive.on('message', () => undefined);
  let idleTrim: IdleTrim | null = null;
  try {
    running = await start(flags, succession, {
      stopped: aborted(AbortSignal.any([end.signal, stop.signal])),
      onQuit: () => stop.abort(),
      onFailed: (error) => {
        failure = error;
        stop.abort();
      },
    });
    trimMemory();
    idleTrim = new IdleTrim(systemClock);
    try {
      announce(running, flags);
    } catch (error) {
      await running.close();
      throw error;
    }
    announceSuccession(succession);
    await aborted(AbortSignal.any([end.signal, stop.signal]));
    const force = AbortSignal.any([end.force, stop.signal]);
    await Promise.race([aborted(force), running.drain(flags.stopTimeout)]);
    await running.close();
    if (failure !== null) throw failure;
    return ExitCode.ok;
  } finally {
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
    removePidFile(flags);
    alive.close();
    idleTrim?.close();
    end.release();
  }
}
