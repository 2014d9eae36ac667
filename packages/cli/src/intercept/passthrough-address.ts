// REDIRECT: what the proxy passes on to the machine itself comes from an address by which the rules know it. 127.0.0.6 is
// every machine's own; its IPv6 sibling has to be put on loopback, as Istio does.
import { passthroughAddress } from './interception-options.ts';
import { type RunProgram, mustRun } from './run-program.ts';

/** Marks the address as ours: the kernel keeps it, and nobody else gives an address of loopback a metric. */
const metric = 72;

const address = `${passthroughAddress.ipv6}/128`;
const addWords = ['-6', 'address', 'add', address, 'dev', 'lo', 'metric', `${metric}`];

/** Whether the address is there, and whether it is ours. */
async function find(run: RunProgram): Promise<'ours' | 'others' | 'none'> {
  const outcome = await run('ip', ['-json', '-6', 'address', 'show', 'dev', 'lo', 'to', address]);
  if (outcome?.exitCode !== 0 || outcome.stdout === '') return 'none';
  const [link] = JSON.parse(outcome.stdout) as readonly {
    readonly addr_info?: readonly { readonly metric?: number }[];
  }[];
  const [first] = link?.addr_info ?? [];
  if (first === undefined) return 'none';
  return first.metric === metric ? 'ours' : 'others';
}

export async function hasPassthroughAddress(run: RunProgram): Promise<boolean> {
  return (await find(run)) === 'ours';
}

/** Puts the address there; returns whether that was needed. */
export async function addPassthroughAddress(run: RunProgram): Promise<boolean> {
  if ((await find(run)) !== 'none') return false;
  await mustRun(run, 'ip', addWords);
  return true;
}

/** Takes the address away where it is ours. */
export async function removePassthroughAddress(run: RunProgram): Promise<void> {
  if (await hasPassthroughAddress(run))
    await mustRun(run, 'ip', ['-6', 'address', 'del', address, 'dev', 'lo']);
}

/** The command as somebody would type it. */
export function describePassthroughAddress(): string {
  return `ip ${addWords.join(' ')}`;
}
