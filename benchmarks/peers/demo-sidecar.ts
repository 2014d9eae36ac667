// The memory of one idle sidecar as the demo runs it: a control plane, an application, its sidecar, nothing else.
import { join } from 'node:path';
import { type MemoryUse, descendantsOf, eventually, freePort, memoryOf, startChild } from '@heddle/testkit';
import { type Command, heddleCommand } from './peer.ts';

const application = `require('node:http').createServer((q, s) => s.end('ok')).listen(process.env.PORT, '127.0.0.1')`;

function start(name: string, command: Command, directory: string): ReturnType<typeof startChild> {
  return startChild(command.program, {
    name,
    directory,
    arguments: command.arguments,
    environment: { NODE_OPTIONS: undefined },
  });
}

/** Starts the two, lets them be idle and reads the sidecar's memory. */
export async function measureDemoSidecar(directory: string): Promise<MemoryUse> {
  const store = join(directory, 'store');
  const [api, xds, join_] = [await freePort(), await freePort(), await freePort()];
  const ports = ['--api-port', String(api), '--xds-port', String(xds), '--join-port', String(join_)];
  const up = heddleCommand(['up', '--store', store, ...ports]);
  await using controlPlane = await start('heddle up', up, directory);
  await eventually('the control plane answers', () =>
    fetch(`http://127.0.0.1:${api}/healthz`).then(
      (response) => response.ok,
      () => controlPlane.exit !== null,
    ),
  );
  const run = [
    'run',
    '--store',
    store,
    '--service',
    'idle',
    '--port',
    '80',
    '--',
    process.execPath,
    '-e',
    application,
  ];
  // The second start counts: the first one fills the compile cache.
  await measureOnce(run, directory);
  return await measureOnce(run, directory);
}

async function measureOnce(run: readonly string[], directory: string): Promise<MemoryUse> {
  await using instance = await start('heddle run', heddleCommand(run), directory);
  const sidecar = (): number | undefined =>
    descendantsOf(instance.pid).find((entry) => /sidecar/.test(entry.command))?.pid;
  await eventually('the sidecar and the application run', () => {
    if (instance.exit !== null) throw new Error(`heddle run ended:\n${instance.output}`);
    return (
      sidecar() !== undefined &&
      descendantsOf(instance.pid).some((entry) => entry.command.includes('createServer'))
    );
  });
  await new Promise((resolve) => {
    setTimeout(resolve, 5000);
  });
  const memory = memoryOf(sidecar()!);
  await instance.stop(15_000);
  return memory;
}
