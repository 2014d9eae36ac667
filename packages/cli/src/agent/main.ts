// The program of an agent: one argument, the path of its options file; an IPC channel to its supervisor, as a sidecar's.
import { readFileSync } from 'node:fs';
import { createLogger, type HeddleError, systemClock, systemRandom } from '@heddle/base';
import type { FromSidecar, ToSidecar } from '@heddle/proxy';
import { obtainIdentity } from '@heddle/proxy/join';
import { openTransport } from '@heddle/proxy/open-transport';
import { Agent, failureOf } from './agent.ts';
import type { AgentOptions } from './agent-options.ts';

function tell(message: FromSidecar): void {
  if (process.connected) process.send!(message);
}

const [optionsPath] = process.argv.slice(2);
if (optionsPath === undefined) {
  process.stderr.write('usage: main.ts <options.json>\n');
  process.exit(2);
}
const options = JSON.parse(readFileSync(optionsPath, 'utf8')) as AgentOptions;
const logger = createLogger({ level: options.logLevel, fields: { instance: options.instance } });
let agent: Agent | null = null;
let isEnding = false;

/** Ends in order; nothing is said twice. */
function end(code = 0): void {
  if (isEnding) return;
  isEnding = true;
  void Promise.resolve(agent?.close()).finally(() => process.exit(code));
}

/** Ends with the sentence that the supervisor shows. */
function fail(error: HeddleError): void {
  if (isEnding) return;
  logger.error('The agent ends', { code: error.code, reason: error.message });
  // Before it was ready this is why the workload can't start, afterwards why everything starts anew.
  const type = agent?.hasServed === true ? 'warning' : 'failed';
  tell({ type, code: error.code, message: error.message });
  end(1);
}

async function run(): Promise<void> {
  const identity = await obtainIdentity(options, systemClock, logger);
  if (!identity.ok) {
    fail(identity.error);
    return;
  }
  agent = new Agent(options, {
    identity: identity.value,
    transport: openTransport(systemClock, logger),
    clock: systemClock,
    random: systemRandom,
    logger,
    tell,
    onEnded: fail,
  });
  if (!isEnding) await agent.start();
}

process.on('message', (message: ToSidecar) => {
  if (message.type === 'app-started') agent?.applicationStarted();
  else if (message.type === 'withdraw') void agent?.withdraw(message.timeoutMs);
  else if (message.type === 'drain') void agent?.drain(message.timeoutMs);
  else if (message.type === 'stop') end();
});
process.on('disconnect', () => end());
// The supervisor decides the order in which things end: a Ctrl-C in the terminal reaches this process too, and is not for it.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => {
  if (!process.connected) end();
});
if (process.connected) run().catch((error: unknown) => fail(failureOf(error)));
