// `heddle proxy`: the data plane alone, configured by a file.
import { once } from 'node:events';
import { openSync, writeFileSync, writeSync } from 'node:fs';
import { systemClock, systemRandom } from '@heddle/base';
import { StaticProxy } from '@heddle/proxy/bootstrap';
import { Loggers } from '@heddle/proxy/loggers';
import type { ProxyFlags } from '../commands/proxy.ts';
import { ExitCode } from '../exit-code.ts';
import { listenForEnd } from '../signals.ts';
import { type ProxyConfig, readProxyConfig } from './read-config.ts';

function createLoggers({ logLevel, logPath }: ProxyFlags): Loggers {
  const level = process.env['HEDDLE_DEBUG'] === '1' ? 'debug' : logLevel;
  if (logPath === undefined) return new Loggers(level);
  const descriptor = openSync(logPath, 'a', 0o640);
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

async function start(config: ProxyConfig, flags: ProxyFlags, onQuit: () => void): Promise<StaticProxy> {
  const started = await StaticProxy.start(config.source, {
    clock: systemClock,
    random: systemRandom,
    loggers: createLoggers(flags),
    drain: { drainTimeMs: flags.drainTimeS, strategy: flags.drainStrategy },
    description: { options: describeOptions(flags), epoch: 0 },
    onQuit,
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
    writeFileSync(adminAddressPath, running.admin);
  }
  if (pidFile !== undefined) writeFileSync(pidFile, `${process.pid}\n`);
}

async function validate(config: ProxyConfig): Promise<number> {
  const { validateBootstrap } = await import('@heddle/proxy/validate');
  const problems = validateBootstrap(config.source, systemRandom);
  if (problems.length > 0) throw config.refuse(problems);
  process.stdout.write(`configuration '${config.source.file}' OK\n`);
  return ExitCode.ok;
}

/** `heddle proxy`. */
export async function proxy(flags: ProxyFlags): Promise<number> {
  const config = await readProxyConfig(flags);
  if (flags.mode === 'validate') return await validate(config);
  const end = listenForEnd();
  try {
    const quit = new AbortController();
    const running = await start(config, flags, () => quit.abort());
    announce(running, flags);
    const reopenLogs = (): void => running.reopenLogs();
    process.on('SIGUSR1', reopenLogs);
    await once(AbortSignal.any([end.signal, quit.signal]), 'abort');
    if (!quit.signal.aborted) {
      const force = AbortSignal.any([end.force, quit.signal]);
      await Promise.race([running.drain(flags.stopTimeout), once(force, 'abort')]);
    }
    await running.close();
    process.off('SIGUSR1', reopenLogs);
    return ExitCode.ok;
  } finally {
    end.release();
  }
}
