// The demo's own store: made anew each time, and never made out of a mesh that belongs to somebody.
import { existsSync, lstatSync, statSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { CliError } from '../cli-error.ts';
import { isProcessAlive } from '../process-alive.ts';
import { readControlPlaneFile } from '../store/control-plane-file.ts';
import { storeName } from '../store/find-store.ts';

/** A file in the store says that it is the demo's. `heddle up` in the same directory makes it a mesh to keep. */
const markerName = 'demo';

/** Takes the mark away: from now on the store is a mesh that somebody uses. */
export async function keepStore(store: string): Promise<void> {
  await rm(join(store, markerName), { force: true });
}

function inTheWay(message: string): CliError {
  return new CliError('HEDDLE_STORE_UNWRITABLE', message, {
    hint: 'the demo keeps its mesh there: move it away, or run the demo in another directory',
  });
}

/** Makes an empty store in this directory; refuses where there is one that isn't the demo's, or a demo that runs. */
export async function createDemoStore(directory = process.cwd()): Promise<string> {
  const store = resolve(directory, storeName);
  const shown = `./${relative(directory, store)}`;
  const status = lstatSync(store, { throwIfNoEntry: false });
  if (status !== undefined && !existsSync(store)) throw inTheWay(`${shown} is a link that leads nowhere`);
  if (status !== undefined) {
    if (!statSync(store).isDirectory()) throw inTheWay(`${shown} is a file and no directory`);
    const isOurs = existsSync(join(store, markerName)) || (await readdir(store)).length === 0;
    if (!isOurs) {
      throw new CliError('HEDDLE_STORE_NOT_DEMO', `${shown} belongs to a mesh that is not the demo's`, {
        hint: 'run the demo in another directory; it makes its store anew each time and would delete this one',
      });
    }
    const running = await readControlPlaneFile(store);
    if (typeof running === 'object' && isProcessAlive(running.pid)) {
      throw new CliError(
        'HEDDLE_DEMO_RUNNING',
        `a demo runs in this directory already (process ${running.pid})`,
        {
          hint: 'end it with Ctrl-C where it runs, or use another directory',
        },
      );
    }
    // Away in one step: a store half deleted would have lost its mark and seem to be somebody's mesh.
    const old = `${store}.old-${process.pid}`;
    await rename(store, old);
    await rm(old, { recursive: true, force: true });
  }
  await mkdir(store, { mode: 0o700 });
  await writeFile(
    join(store, markerName),
    'Made by `heddle demo`, which deletes it when it is started again.\n',
  );
  return store;
}
