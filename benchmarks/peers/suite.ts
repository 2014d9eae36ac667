// What every suite is: rounds that visit each peer in turn and give a few numbers each time.
import type { Child } from '@heddle/testkit';
import { waitForPort } from '@heddle/testkit';
import { Backend, type BackendKind } from './backend.ts';
import type { Peer } from './peer.ts';
import { type Front, type Place, choosePlace, frontPort } from './place.ts';
import { proxyCore, startPinned } from './processes.ts';
import { proveAnswer } from './proof.ts';

/** The numbers of one peer in one round, by the column's key. */
export interface Sample {
  readonly peer: string;
  readonly values: Readonly<Record<string, number>>;
}

export interface Column {
  readonly key: string;
  readonly title: string;
  readonly digits: number;
}

/** What a suite is given. */
export interface Bench {
  readonly directory: string;
  /** Those that are there and take the suite's configuration; Heddle last. */
  readonly peers: readonly Peer[];
  readonly rounds: number;
  readonly seconds: number;
  /** One line for who watches. */
  say(line: string): void;
}

export interface Suite {
  readonly name: string;
  /** One line: what is done. */
  readonly title: string;
  readonly front: Front;
  readonly backend: BackendKind;
  /** Programs that it takes besides those that all suites do. */
  readonly needs: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  /** Shown in this order; Heddle's ratio to each peer is that of the first. */
  readonly columns: readonly Column[];
  run(bench: Bench): Promise<Sample[]>;
}

/** A peer that runs, in front of a backend of its own. */
export interface Running {
  readonly place: Place;
  /** One, or those of a chain. */
  readonly proxies: readonly Child[];
  readonly backend: Backend;
}

/** Starts one peer and its backend, hands them over, and ends both whatever happens. */
export async function withPeer<T>(
  bench: Pick<Bench, 'directory'>,
  peer: Peer,
  suite: Pick<Suite, 'front' | 'backend'>,
  use: (running: Running) => Promise<T>,
): Promise<T> {
  const place = await choosePlace(bench.directory, suite.front);
  const commands = peer.prepare(place);
  await using backend = await Backend.start(bench.directory, place.backendPort, suite.backend);
  await using stack = new AsyncDisposableStack();
  const proxies: Child[] = [];
  for (const command of commands) proxies.push(stack.use(await startPinned(proxyCore, command)));
  await Promise.race([
    waitForPort(frontPort(place)),
    ...proxies.map((proxy) =>
      proxy.ended(60_000).then(() => {
        throw new Error(`${peer.name} ended:\n${proxy.output}`);
      }),
    ),
  ]);
  const result = await use({ place, proxies, backend });
  for (const { exit, output } of proxies) {
    if (exit !== null) throw new Error(`${peer.name} ended during the measurement:\n${output}`);
  }
  return result;
}

/** Starts a peer once and asks it something; returns why it can't take part, or null. Fills caches on disk, too. */
export async function tryPeer(
  bench: Pick<Bench, 'directory'>,
  peer: Peer,
  suite: Pick<Suite, 'front' | 'backend'>,
): Promise<string | null> {
  if (peer.missing !== null) return peer.missing;
  try {
    await withPeer(bench, peer, suite, ({ place }) => proveAnswer(place));
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
