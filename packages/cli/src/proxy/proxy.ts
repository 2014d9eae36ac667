// `heddle proxy`: the data plane alone, configured by a file.
import { once } from 'node:events';
import { createLogger, type Problem, systemClock, systemRandom } from '@heddle/base';
import { describeAddress } from '@heddle/proxy';
import { StaticProxy } from '@heddle/proxy/bootstrap';
import { CliError } from '../cli-error.ts';
import type { ProxyFlags } from '../commands/proxy.ts';
import { ExitCode } from '../exit-code.ts';
import { renderProblem } from '../output/render-problem.ts';
import { listenForEnd } from '../signals.ts';
import { parseBootstrap, readBootstrapText } from './parse-bootstrap.ts';

/** How long running requests may take once the end was asked for. */
const drainTimeoutMs = 10_000;

function refuse(problems: readonly Problem[], text: string): CliError {
  for (const problem of problems) process.stderr.write(renderProblem(problem, text));
  const count = problems.length === 1 ? '1 error' : `${problems.length} errors`;
  return new CliError('HEDDLE_BOOTSTRAP_REFUSED', `${count}, nothing was started`);
}

async function start(file: string): Promise<StaticProxy> {
  const text = await readBootstrapText(file);
  const source = parseBootstrap(file, text);
  if (!source.ok) throw refuse(source.error, text);
  const level = process.env['HEDDLE_DEBUG'] === '1' ? 'debug' : 'warn';
  const options = { clock: systemClock, random: systemRandom, logger: createLogger({ level }) };
  const started = await StaticProxy.start(source.value, options);
  if (!started.ok) throw refuse(started.error, text);
  return started.value;
}

/** `heddle proxy`. */
export async function proxy(flags: ProxyFlags): Promise<number> {
  if (flags.concurrency > 1) {
    throw new CliError('HEDDLE_UNSUPPORTED_CONCURRENCY', 'more than one thread is not supported yet', {
      hint: '--concurrency 1, and a second process behind another port',
      exitCode: ExitCode.usage,
    });
  }
  const end = listenForEnd();
  try {
    const running = await start(flags.bootstrap);
    for (const { name, host, port } of running.listeners) {
      process.stderr.write(`heddle: listener ${name} on ${host}:${port}\n`);
    }
    if (running.admin !== null) {
      process.stderr.write(`heddle: admin on ${describeAddress(running.admin)}\n`);
    }
    if (!end.signal.aborted) await once(end.signal, 'abort');
    await Promise.race([running.drain(drainTimeoutMs), once(end.force, 'abort')]);
    await running.close();
    return ExitCode.ok;
  } finally {
    end.release();
  }
}
