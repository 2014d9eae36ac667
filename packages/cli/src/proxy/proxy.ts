// `heddle proxy`: the data plane alone, in the foreground.
import { once } from 'node:events';
import { createLogger, type Problem, systemClock, systemRandom } from '@heddle/base';
import { StaticProxy } from '@heddle/proxy/bootstrap';
import { CliError, usageError } from '../cli-error.ts';
import type { ProxyFlags } from '../commands/proxy.ts';
import { ExitCode } from '../exit-code.ts';
import { renderProblem } from '../output/render-problem.ts';
import { listenForEnd } from '../signals.ts';
import { type BootstrapFile, parseBootstrap, readBootstrapText } from './parse-bootstrap.ts';

/** How long running requests may take to end after SIGTERM. */
const drainMs = 10_000;

function refuse(problems: readonly Problem[], file: string, text: string): never {
  for (const problem of problems) process.stderr.write(renderProblem(problem, text));
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  throw new CliError('HEDDLE_BOOTSTRAP_REFUSED', `'${file}' has ${count}: nothing was started`);
}

async function start(source: BootstrapFile, text: string): Promise<StaticProxy> {
  const level = process.env['HEDDLE_DEBUG'] === '1' ? 'debug' : 'warn';
  const logger = createLogger({ level });
  const started = await StaticProxy.start(source, { clock: systemClock, random: systemRandom, logger });
  return started.ok ? started.value : refuse(started.error, source.file, text);
}

/** Serves what the file says until it is told to end. */
export async function proxy(flags: ProxyFlags): Promise<number> {
  if (flags.concurrency !== 1) {
    throw usageError('--concurrency: one thread moves bytes for now', 'leave it out, or say --concurrency 1');
  }
  const text = await readBootstrapText(flags.bootstrap);
  const source = parseBootstrap(flags.bootstrap, text);
  if (!source.ok) refuse(source.error, flags.bootstrap, text);
  const end = listenForEnd();
  const running = await start(source.value, text);
  for (const { name, host, port } of running.listeners) {
    process.stdout.write(`Listening on ${host}:${port} (${name})\n`);
  }
  if (running.admin !== null) {
    process.stdout.write(`Admin on http://${running.admin.host}:${running.admin.port}/\n`);
  }
  if (!end.signal.aborted) await once(end.signal, 'abort');
  await Promise.race([
    running.drain(drainMs),
    end.force.aborted ? Promise.resolve() : once(end.force, 'abort'),
  ]);
  await running.close();
  end.release();
  return ExitCode.ok;
}
