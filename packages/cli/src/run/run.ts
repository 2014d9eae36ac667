import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { styleText } from 'node:util';
import { errorMessage, systemClock, systemErrorCode } from '@heddle/base';
import { CliError, usageError } from '../cli-error.ts';
import type { RunFlags } from '../commands/run.ts';
import { ExitCode } from '../exit-code.ts';
import { parseBindAddress, parseUpstream } from '../flags.ts';
import { watchNpm } from '../npm-parent.ts';
import { listenForEnd, listenForUpgrade } from '../signals.ts';
import { findStore } from '../store/find-store.ts';
import { runWorkload } from '../supervisor/run-workload.ts';
import type { WorkloadOptions, WorkloadOutput } from '../supervisor/workload-options.ts';

/** Adds the flag's name to what a parser says. */
function named<T>(flag: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw usageError(`${flag}: ${errorMessage(error)}`);
  }
}

async function readToken(flags: RunFlags): Promise<string | null> {
  if (flags.tokenFile !== undefined) {
    const file = flags.tokenFile;
    return await readFile(file, 'utf8').catch((error: unknown) => {
      throw new CliError(
        'HEDDLE_NO_TOKEN',
        `--token-file: can't read '${file}' (${systemErrorCode(error)})`,
        {
          exitCode: ExitCode.runFailed,
        },
      );
    });
  }
  const token = process.env['HEDDLE_TOKEN'];
  return token === undefined || token.trim() === '' ? null : token;
}

/** What a data plane that is not Heddle's can't do is refused, not left out. */
function refuseForeign({
  proxy,
  envoy,
  protocol,
  expose,
  intercept,
  accessLog,
  inboundPort,
}: RunFlags): void {
  if (envoy !== undefined && proxy !== 'envoy') throw usageError('--envoy is for --proxy envoy only');
  if (proxy === 'heddle') return;
  if (intercept !== undefined) throw usageError(`--intercept needs Heddle's sidecar, not --proxy ${proxy}`);
  if (proxy !== 'grpc') return;
  const given = Object.entries({
    '--expose': expose,
    '--access-log': accessLog,
    '--inbound-port': inboundPort,
  });
  const [flag] = given.find(([, value]) => value !== undefined) ?? [];
  if (flag !== undefined) {
    throw usageError(
      `${flag} is a proxy's affair, and with --proxy grpc there is none but the application`,
      flag === '--inbound-port' ? '--app-port says where it listens' : '',
    );
  }
  if (protocol !== 'http' && protocol !== 'grpc')
    throw usageError(`--proxy grpc speaks gRPC, not --protocol ${protocol}`);
}

/** What the flags ask for, checked. */
export async function workloadOptions(flags: RunFlags, command: readonly string[]): Promise<WorkloadOptions> {
  const { service, port, namespace } = flags;
  if (service === undefined) {
    throw usageError('--service is missing: the name of the service that this is an instance of');
  }
  if (port === undefined) {
    throw usageError(
      '--port is missing: the port under which others call the service',
      'the same for all its instances, such as --port 9080; --port 0 if nobody calls it',
    );
  }
  if (command.length === 0) {
    throw usageError('there is no command to run', 'write it after `--`, such as: … -- node app.js');
  }
  const { expose, accessLog } = flags;
  if (flags.protocol === 'tcp' && expose !== undefined) {
    throw usageError(
      '--expose opens a listener for HTTP, which an application with --protocol tcp does not speak',
    );
  }
  refuseForeign(flags);
  return {
    service,
    port,
    namespace,
    version: flags.version,
    appPort: flags.appPort ?? null,
    protocol: flags.proxy === 'grpc' ? 'grpc' : flags.protocol,
    serviceAccount: flags.serviceAccount ?? null,
    labels: Object.fromEntries(flags.label ?? []),
    upstreams: (flags.upstream ?? []).map((text) =>
      named('--upstream', () => parseUpstream(text, namespace)),
    ),
    expose: expose === undefined ? null : named('--expose', () => parseBindAddress(expose, '127.0.0.1')),
    proxy: flags.proxy,
    envoy: flags.envoy ?? null,
    intercept: flags.intercept === undefined ? null : { mode: flags.intercept, rules: flags.interceptRules },
    join: flags.join ?? null,
    token: await readToken(flags),
    store: findStore(flags.store),
    inboundPort: flags.inboundPort ?? null,
    advertise: flags.advertiseAddress ?? null,
    accessLog: accessLog === undefined ? '' : accessLog === '-' ? '/dev/stdout' : resolve(accessLog),
    concurrency: flags.concurrency,
    stopTimeoutMs: flags.stopTimeout,
    command,
  };
}

/** The supervisor's sentences go to standard error; everything else is the application's. */
const terminalOutput: WorkloadOutput = {
  application: 'inherit',
  info: (message) => {
    process.stderr.write(`${styleText('dim', `heddle: ${message}`, { stream: process.stderr })}\n`);
  },
  warning: (message, hint) => {
    const label = styleText('yellow', 'heddle: warning:', { stream: process.stderr });
    process.stderr.write(`${label} ${message}\n${hint === undefined ? '' : `  hint: ${hint}\n`}`);
  },
};

/** `heddle run`. */
export async function run(flags: RunFlags, ...command: readonly string[]): Promise<number> {
  const end = listenForEnd();
  try {
    const options = await workloadOptions(flags, command);
    void watchNpm(systemClock, 'npx', () => end.request(), end.signal);
    return await runWorkload(options, {
      signal: end.signal,
      force: end.force,
      onUpgradeRequest: listenForUpgrade,
      output: terminalOutput,
    });
  } catch (error) {
    if (error instanceof CliError && error.exitCode !== ExitCode.failed) throw error;
    const code = error instanceof CliError ? error.code : 'HEDDLE_RUN_FAILED';
    const hint = error instanceof CliError ? error.hint : '';
    throw new CliError(code, errorMessage(error), { hint, exitCode: ExitCode.runFailed, cause: error });
  } finally {
    end.release();
  }
}
