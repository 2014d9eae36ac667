// Who asks for nothing while the process that serves it has a successor: asked to go there all the same.
import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import { FrameTexts, clientStart, getRequest, headers, settingsAck } from '../http2/test-peer.ts';
import { noConnectionLimits } from '../listener/connection-admission.ts';
import { httpChain, routedHttpChain, socketAddress, staticCluster, typed } from '../listener/test-proxy.ts';
import { type End, type World, virtualWorld } from '../listener/test-worlds.ts';
import { sidecarDrain } from '../sidecar/sidecar.ts';
import type { DrainOptions } from './proxy.ts';

const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
/** HEADERS with END_HEADERS and END_STREAM. */
const request = (id: number): Buffer => headers(id, getRequest, 0x5);
const http2Start = Buffer.concat([clientStart, settingsAck]);
const announcement = 'GOAWAY 0 last=2147483647 NO_ERROR';
const inspector = {
  name: 'envoy.filters.listener.http_inspector',
  typed_config: typed('filters.listener.http_inspector.v3.HttpInspector'),
};

/** A proxy on port 8001, and its departure. */
class Departing {
  readonly world: World;
  isOver = false;

  constructor(t: TestContext, drain: DrainOptions = sidecarDrain) {
    this.world = virtualWorld(t, 1, undefined, noConnectionLimits, drain);
  }

  static async create(t: TestContext, drain?: DrainOptions): Promise<Departing> {
    const departing = new Departing(t, drain);
    await departing.serve(httpChain('hello'));
    return departing;
  }

  /** Listens with one chain. */
  async serve(chain: object, more: { listener?: object; clusters?: object[] } = {}): Promise<void> {
    const { proxy, proxyHost } = this.world;
    const address = socketAddress(proxyHost, 8001);
    const listener = { name: 'here', address, filter_chains: [chain], ...more.listener };
    await proxy.load({ listeners: [listener], clusters: more.clusters ?? [] });
  }

  connect(): End {
    return this.world.connect(8001);
  }

  async pass(ms: number): Promise<void> {
    await this.world.virtual!.advanceAsync(ms);
  }

  /** Sends, and gives it some time. */
  async send({ connection }: End, bytes: string | Buffer): Promise<void> {
    connection.writeLatin1(bytes.toString('latin1'));
    await this.pass(50);
  }

  async begin(): Promise<void> {
    const { proxy } = this.world.proxy;
    proxy.drains.start(false, () => undefined);
    void proxy.departure(900_000).then(() => (this.isOver = true));
    await this.pass(50);
  }
}

const framesOf = ({ handler }: End): string[] => new FrameTexts().read(handler.received);
const answersOf = ({ handler }: End): number => handler.received.toString('latin1').split('hello').length - 1;

describe('while a process departs', () => {
  test('a connection of HTTP/2 is asked to go, is served meanwhile, and ends', async (t) => {
    const departing = await Departing.create(t);
    const end = departing.connect();
    await departing.send(end, Buffer.concat([http2Start, request(1)]));
    assert.ok(!framesOf(end).includes(announcement));
    await departing.begin();
    assert.ok(framesOf(end).includes(announcement));
    await departing.send(end, request(3));
    assert.equal(answersOf(end), 2);
    await departing.pass(4_000);
    assert.equal(departing.isOver, false);
    await departing.pass(2_000);
    assert.equal(framesOf(end).at(-1), 'GOAWAY 0 last=3 NO_ERROR');
    await departing.world.until('it is over', () => departing.isOver);
    assert.equal(departing.world.proxy.stat('envoy_http_downstream_cx_drain_close'), 1);
  });

  test('a connection of HTTP/2 is asked to go in the middle of an exchange', async (t) => {
    const departing = new Departing(t);
    const { world } = departing;
    const backend = await world.backend();
    await departing.serve(routedHttpChain('slow'), {
      clusters: [staticCluster('slow', world.serverHost, [backend.port])],
    });
    const end = departing.connect();
    await departing.send(end, Buffer.concat([http2Start, request(1)]));
    await world.until('it is asked', () => backend.accepted[0]?.handler.received.includes('GET /') === true);
    await departing.begin();
    assert.ok(framesOf(end).includes(announcement));
    await departing.pass(10_000);
    assert.equal(departing.isOver, false);
    backend.accepted[0]!.connection.writeLatin1('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello');
    await world.until('it is over', () => departing.isOver);
    assert.equal(answersOf(end), 1);
  });

  test('a connection of HTTP/1.1 ends after a minute of silence', async (t) => {
    const departing = await Departing.create(t);
    const end = departing.connect();
    await departing.send(end, get);
    await departing.begin();
    await departing.pass(59_000);
    assert.equal(end.handler.ends, 0);
    await departing.pass(2_000);
    assert.equal(end.handler.ends, 1);
    end.connection.destroy();
    await departing.world.until('it is over', () => departing.isOver);
    assert.equal(departing.world.proxy.stat('envoy_http_downstream_cx_drain_close'), 1);
    assert.equal(departing.world.proxy.stat('envoy_http_downstream_cx_idle_timeout'), 0);
  });

  test('a connection of HTTP/1.1 ends with its next response', async (t) => {
    const departing = await Departing.create(t);
    const end = departing.connect();
    await departing.send(end, get);
    await departing.begin();
    await departing.pass(59_000);
    await departing.send(end, get);
    assert.equal(answersOf(end), 2);
    assert.equal(end.handler.received.toString().split('connection: close').length, 2);
    assert.equal(end.handler.ends, 1);
    assert.equal(departing.world.proxy.stat('envoy_http_downstream_cx_drain_close'), 1);
  });

  test('an idle timeout that comes sooner stays', async (t) => {
    const manager = { common_http_protocol_options: { idle_timeout: '10s' } };
    const departing = new Departing(t);
    await departing.serve(routedHttpChain('nobody', {}, manager), {
      clusters: [staticCluster('nobody', '10.0.0.3', [1])],
    });
    const end = departing.connect();
    await departing.send(end, get);
    await departing.world.until('nobody has been found', () => end.handler.received.includes('503'));
    await departing.begin();
    await departing.pass(9_000);
    assert.equal(end.handler.ends, 0);
    await departing.pass(2_000);
    assert.equal(end.handler.ends, 1);
  });

  test('a connection over which nothing has come is waited for, and ends after a minute', async (t) => {
    const departing = await Departing.create(t);
    const [silent, late] = [departing.connect(), departing.connect()];
    await departing.pass(50);
    await departing.begin();
    await departing.pass(50_000);
    await departing.send(late, get);
    assert.equal(answersOf(late), 1);
    assert.equal(silent.handler.closes, 0);
    await departing.pass(11_000);
    assert.equal(silent.handler.closes, 1);
  });

  test('a connection that is looked at is waited for, and asked to go once it speaks', async (t) => {
    const departing = new Departing(t);
    await departing.serve(httpChain('hello'), {
      listener: { listener_filters: [inspector], listener_filters_timeout: '0s' },
    });
    const end = departing.connect();
    await departing.pass(50);
    await departing.begin();
    await departing.pass(1_000);
    assert.equal(departing.isOver, false);
    await departing.send(end, http2Start);
    await departing.pass(6_000);
    assert.ok(framesOf(end).includes(announcement));
    await departing.pass(6_000);
    await departing.world.until('it is over', () => departing.isOver);
  });

  test('a gradual drain asks one after the other, and has asked all when it ends', async (t) => {
    const departing = await Departing.create(t, { drainTimeMs: 100_000, strategy: 'gradual' });
    const ends = Array.from({ length: 20 }, () => departing.connect());
    for (const end of ends) await departing.send(end, http2Start);
    await departing.begin();
    const asked = (): number => ends.filter((end) => framesOf(end).includes(announcement)).length;
    assert.equal(asked(), 0);
    await departing.pass(25_000);
    assert.ok(asked() > 0 && asked() < 20, `${asked()} have been asked`);
    await departing.pass(80_000);
    assert.equal(asked(), 20);
  });

  test('what a changed configuration has left to its end is waited for', async (t) => {
    const departing = new Departing(t);
    const { world } = departing;
    const backend = await world.backend();
    const clusters = [staticCluster('slow', world.serverHost, [backend.port])];
    await departing.serve(routedHttpChain('slow'), { clusters });
    const before = departing.connect();
    await departing.send(before, get);
    await departing.serve(routedHttpChain('slow', { name: 'second' }), { clusters });
    const during = departing.connect();
    await departing.send(during, get);
    await departing.begin();
    await departing.serve(routedHttpChain('slow', { name: 'third' }), { clusters });
    for (const [index, end] of [...[before, during].entries()].toReversed()) {
      assert.equal(departing.isOver, false);
      backend.accepted[index]!.connection.writeLatin1('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello');
      await world.until('it is answered', () => answersOf(end) === 1);
      end.connection.destroy();
    }
    await world.until('it is over', () => departing.isOver);
  });
});
