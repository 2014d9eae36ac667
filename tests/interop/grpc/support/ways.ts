// What lies between a client and the server.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Child,
  findEnvoy,
  freePort,
  startChild,
  temporaryDirectory,
  waitForPort,
} from '@heddle/testkit';
import { bootstrapOf } from './bootstrap.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** A way that is open; the port is the client's end. */
export interface OpenWay extends AsyncDisposable {
  readonly port: number;
}

export interface Way {
  readonly name: string;
  /** What it takes, for `skipWithout`. */
  readonly needs: Readonly<Record<string, string | null>>;
  /** Opens the way to the server on this port of the loopback. */
  open(server: number): Promise<OpenWay>;
}

const direct: Way = {
  name: 'directly',
  needs: {},
  open: async (port) => ({ port, [Symbol.asyncDispose]: async () => undefined }),
};

function throughProxy(name: string, program: string | null, parameters: (file: string) => string[]): Way {
  return {
    name: `through ${name}`,
    needs: { [name]: program },
    open: async (server) => {
      const directory = await temporaryDirectory('heddle-grpc');
      const [listener, admin] = [await freePort(), await freePort()];
      const file = join(directory.path, `${name}.json`);
      await writeFile(file, JSON.stringify(bootstrapOf({ listener, admin, server })));
      const child = await startChild(program!, {
        name,
        arguments: parameters(file),
        directory: directory.path,
      });
      const close = async (): Promise<void> => {
        await child.stop();
        await directory[Symbol.asyncDispose]();
      };
      try {
        await isUp(child, listener);
      } catch (error) {
        await close();
        throw error;
      }
      return { port: listener, [Symbol.asyncDispose]: close };
    },
  };
}

async function isUp(child: Child, port: number): Promise<void> {
  const ended = child.ended(60_000).then(() => {
    throw new Error(`${child.name} ended:\n${child.output}`);
  });
  await Promise.race([waitForPort(port), ended]);
}

const envoy: Way = throughProxy('envoy', findEnvoy(), (file) => [
  ...['-c', file, '--concurrency', '1', '-l', 'off', '--use-dynamic-base-id'],
]);

const heddle: Way = throughProxy('heddle', join(root, 'packages/cli/bin/heddle'), (file) => [
  ...['proxy', '--bootstrap', file],
]);

export const ways: readonly Way[] = [direct, envoy, heddle];
