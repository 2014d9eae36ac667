// Clients that do what no good one does, in an order that a seed gives, against a model of what they should have in the end.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SeededRandom } from '@heddle/testkit';
import { serveSource, type ServedSource } from '../testing/served-source.ts';
import { SotwClient } from '../testing/sotw-client.ts';
import { TestClient, settle } from '../testing/test-client.ts';
import { TypeUrl } from '../type-url.ts';
import { wholeTypeUrls } from './sotw-stream.ts';

const types = [TypeUrl.cluster, TypeUrl.clusterLoadAssignment, TypeUrl.listener, TypeUrl.routeConfiguration];
const names = ['a', 'b', 'c', 'd', 'e'];

/** A client of either protocol, and what it has taken. */
interface Tortured {
  /** By type: name to version. */
  readonly state: ReadonlyMap<string, Map<string, string>>;
  readonly received: { readonly length: number };
  connect(): Promise<void>;
  /** Takes the next response or refuses it, and says so now or later. */
  answer(refuses: boolean): Promise<void>;
  /** Says what has not been said yet. */
  answerAll(): Promise<void>;
  /** Says again what has been said before. */
  repeat(): Promise<void>;
  disconnect(): void;
}

class Torture {
  readonly mesh: ServedSource;
  readonly random: SeededRandom;
  private versions = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.mesh = serveSource({ maxResponseBytes: 60 });
    for (const type of types) for (const name of names) this.put(type, name);
    this.mesh.source.tell();
  }

  below(limit: number): number {
    return Math.floor(this.random.float() * limit);
  }

  put(type: string, name: string): void {
    this.versions++;
    const version = String(this.versions);
    this.mesh.source.set(type, name, version, Buffer.from(`${name}@${version}`));
  }

  change(): void {
    for (let count = 1 + this.below(3); count > 0; count--) {
      const [type, name] = [types[this.below(types.length)]!, names[this.below(names.length)]!];
      if (this.below(4) === 0) this.mesh.source.remove(type, name);
      else this.put(type, name);
    }
    this.mesh.source.tell();
  }

  async run(client: Tortured): Promise<void> {
    await client.connect();
    for (let step = 0; step < 150; step++) {
      const choice = this.below(20);
      if (choice < 6) this.change();
      else if (choice < 14 && client.received.length > 0) await client.answer(this.below(4) === 0);
      else if (choice < 16) await client.repeat();
      else if (choice < 17) this.mesh.clock.advance(this.below(6000));
      else if (choice < 18) {
        client.disconnect();
        await client.connect();
      }
      await settle();
    }
    await client.answerAll();
    await this.finish(client);
  }

  /** Everything changes once more and is accepted: then client and source say the same. */
  private async finish(client: Tortured): Promise<void> {
    for (const type of types) for (const name of names) if (this.has(type, name)) this.put(type, name);
    this.mesh.source.tell();
    for (let round = 0; round < 4; round++) {
      for (await settle(); client.received.length > 0; await settle()) {
        await client.answer(false);
        await client.answerAll();
      }
      this.mesh.clock.advance(6000);
    }
    for (const type of types) {
      const has = [...(client.state.get(type) ?? [])].map(([name, version]) => `${name}@${version}`);
      const should = names.filter((name) => this.has(type, name)).map((name) => this.contentOf(type, name));
      // Of these a client of the state of the world is not told that they are gone.
      const isTold = client instanceof TorturedDelta || wholeTypeUrls.has(type);
      const compared = isTold ? has : has.filter((content) => this.has(type, content.split('@')[0]!));
      assert.deepEqual(compared.toSorted(), should.toSorted(), type);
    }
    const [status] = this.mesh.server.status();
    assert.deepEqual(
      [status?.rejected, [...status!.types.values()].every(({ synced }) => synced)],
      [[], true],
    );
    client.disconnect();
    assert.equal(this.mesh.clock.pendingTimers, 0);
  }

  private has(type: string, name: string): boolean {
    return this.mesh.source.get(undefined!, type, name) !== undefined;
  }

  private contentOf(type: string, name: string): string {
    return `${name}@${this.mesh.source.get(undefined!, type, name)!.version}`;
  }
}

function emptyState(): Map<string, Map<string, string>> {
  return new Map(types.map((type) => [type, new Map<string, string>()]));
}

function split(content: string): [string, string] {
  const [name, version] = content.split('@');
  return [name!, version!];
}

class TorturedDelta implements Tortured {
  readonly state = emptyState();
  private client: TestClient;
  private readonly torture: Torture;
  private answers: (() => Promise<void>)[] = [];
  private last: (() => Promise<void>) | null = null;

  constructor(torture: Torture) {
    this.torture = torture;
    this.client = new TestClient(torture.mesh.server);
  }

  get received(): { readonly length: number } {
    return this.client.received;
  }

  async connect(): Promise<void> {
    this.client = new TestClient(this.torture.mesh.server);
    this.answers = [];
    this.last = null;
    for (const typeUrl of types) {
      const initialResourceVersions = Object.fromEntries(this.state.get(typeUrl)!);
      const resourceNamesSubscribe = wholeTypeUrls.has(typeUrl) ? ['*'] : names;
      await this.client.request({ typeUrl, initialResourceVersions, resourceNamesSubscribe });
    }
  }

  async answer(refuses: boolean): Promise<void> {
    const response = this.client.received.shift()!;
    // Refused resources change nothing, as with Envoy; what is gone is gone.
    const state = this.state.get(response.typeUrl)!;
    if (!refuses) for (const content of response.resources) state.set(...split(content));
    for (const name of response.removed) state.delete(name);
    this.answers.push(() => (refuses ? this.client.nack(response, 'no') : this.client.ack(response)));
    if (this.torture.below(3) > 0) await this.sayOne();
  }

  async answerAll(): Promise<void> {
    while (this.answers.length > 0) await this.sayOne();
  }

  private async sayOne(): Promise<void> {
    [this.last = null] = this.answers.splice(this.torture.below(this.answers.length), 1);
    await this.last?.();
  }

  async repeat(): Promise<void> {
    await this.last?.();
    await this.client.request({ typeUrl: types[0]!, responseNonce: 'never sent' });
  }

  disconnect(): void {
    this.client.disconnect();
  }
}

class TorturedSotw implements Tortured {
  readonly state = emptyState();
  private client: SotwClient;
  private readonly torture: Torture;
  private last: (() => Promise<void>) | null = null;

  constructor(torture: Torture) {
    this.torture = torture;
    this.client = new SotwClient(torture.mesh.server);
  }

  get received(): { readonly length: number } {
    return this.client.received;
  }

  async connect(): Promise<void> {
    this.client = new SotwClient(this.torture.mesh.server);
    this.last = null;
    for (const typeUrl of types)
      await this.client.request({ typeUrl, resourceNames: wholeTypeUrls.has(typeUrl) ? [] : names });
  }

  async answer(refuses: boolean): Promise<void> {
    // A stream keeps the order of its messages: the first is taken.
    const response = this.client.received.shift()!;
    const wanted = wholeTypeUrls.has(response.typeUrl) ? [] : names;
    this.last = () =>
      refuses ? this.client.nack(response, 'no', ...wanted) : this.client.ack(response, ...wanted);
    const state = this.state.get(response.typeUrl)!;
    if (!refuses) {
      if (wholeTypeUrls.has(response.typeUrl)) state.clear();
      for (const content of response.resources) state.set(...split(content));
    }
    await this.last();
  }

  async answerAll(): Promise<void> {
    // It answers at once.
  }

  async repeat(): Promise<void> {
    await this.last?.();
    await this.client.request({ typeUrl: types[1]!, responseNonce: 'never sent', resourceNames: ['a'] });
  }

  disconnect(): void {
    this.client.disconnect();
  }
}

describe('clients that answer late, twice, wrongly or not at all', () => {
  for (const [kind, make] of [
    ['delta', (torture: Torture) => new TorturedDelta(torture)],
    ['the state of the world', (torture: Torture) => new TorturedSotw(torture)],
  ] as const) {
    it(`have in the end what the source has: ${kind}`, async () => {
      for (let seed = 1; seed <= 12; seed++) {
        const torture = new Torture(seed);
        await torture.run(make(torture)).catch((error: unknown) => {
          throw new Error(`seed ${seed}`, { cause: error });
        });
      }
    });
  }
});
