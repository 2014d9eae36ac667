// What becomes of calls while time passes: deadlines, keep-alive, servers that leave or never answer.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RpcCode } from '@heddle/xds';
import { fieldsOf } from '../../http2/test-servers.ts';
import { meshSecurity } from '../../tls/mesh-security.ts';
import { OpenedStream, answer, servedCalls } from './calls-under-test.ts';
import { frameMessage } from '@heddle/xds/message-framing';

const secrets = { certificate: () => null, trustBundle: () => null };
const grpcHead = fieldsOf([':status', '200'], ['content-type', 'application/grpc']);
const dataOf = (message: string): string => `data ${frameMessage(Buffer.from(message)).toString('latin1')}`;

describe('a gRPC client on its way to a server', () => {
  it('gives up a connection that takes too long', async () => {
    const { clock, network, client } = await servedCalls({ client: { connectTimeoutMs: 3000 } });
    network.block('client', 'server');
    const opened = new OpenedStream(client, '/m');
    clock.advance(3000);
    assert.deepEqual(await opened.ended, {
      code: RpcCode.unavailable,
      message: 'Cannot connect to 10.0.0.1:80: no connection within 3000 ms',
    });
  });

  it('speaks to nobody who has not agreed to speak HTTP/2', async () => {
    const securityWith = (alpn: readonly string[]) => meshSecurity({ secrets, acceptPeer: null, alpn });
    const { clock, client, calls } = await servedCalls({
      client: { security: securityWith(['h2']) },
      serverSecurity: securityWith(['http/1.1']),
    });
    const opened = new OpenedStream(client, '/m');
    clock.advance(100);
    assert.deepEqual(await opened.ended, {
      code: RpcCode.unavailable,
      message: 'Cannot connect to 10.0.0.1:80: the server does not speak HTTP/2',
    });
    assert.equal(calls.length, 0);
  });

  it('is told better why there is no connection by whoever knows', async () => {
    const security = meshSecurity({ secrets, acceptPeer: () => false, alpn: ['h2'] });
    const explainFailure = (): string => 'it is not who it should be';
    const { clock, client } = await servedCalls({
      client: { security, explainFailure },
      serverSecurity: meshSecurity({ secrets, acceptPeer: null, alpn: ['h2'] }),
    });
    const opened = new OpenedStream(client, '/m');
    clock.advance(100);
    assert.equal((await opened.ended).message, 'Cannot connect to 10.0.0.1:80: it is not who it should be');
  });
});

describe('deadlines of gRPC calls', () => {
  it('are told to the server as what is left of them, and end the call', async () => {
    const { clock, network, client, calls } = await servedCalls();
    network.block('client', 'server');
    const reply = client.call('/m', Buffer.from('question'), 3000);
    clock.advance(1000);
    network.unblock('client', 'server');
    clock.advance(100);
    const [head, body, end] = calls[0]!.take();
    assert.match(head!, / grpc-timeout=(19\d\d|2000)m /);
    assert.deepEqual([body, end], [dataOf('question'), 'end']);
    clock.advance(1900);
    assert.deepEqual(await reply, {
      status: { code: RpcCode.deadlineExceeded, message: 'No answer within 3000 ms.' },
      message: new Uint8Array(0),
    });
    clock.advance(100);
    assert.deepEqual(calls[0]!.take(), ['reset remote 8 http2.remote_reset']);
  });

  it('are none where there is an answer', async () => {
    const { clock, client, calls } = await servedCalls();
    const opened = new OpenedStream(client, '/m');
    clock.advance(100);
    assert.doesNotMatch(calls[0]!.take()[0]!, /grpc-timeout/);
    opened.stream.end();
    answer(calls[0]!);
    clock.advance(100);
    assert.equal((await opened.ended).code, RpcCode.ok);
  });
});

describe('keep-alive of gRPC connections', () => {
  const keepAlive = { keepAliveMs: 10_000, keepAliveTimeoutMs: 5000 };

  it('gives up a connection on which nothing comes any more', async () => {
    const { clock, network, client } = await servedCalls({ client: keepAlive });
    const opened = new OpenedStream(client, '/m');
    clock.advance(100);
    network.block('client', 'server');
    let isOver = false;
    void opened.ended.then(() => (isOver = true));
    await clock.advanceAsync(14_000);
    assert.equal(isOver, false);
    await clock.advanceAsync(6000);
    assert.deepEqual(await opened.ended, {
      code: RpcCode.unavailable,
      message: 'This side gave the connection up: http2.ping_timeout.',
    });
    const again = client.call('/again', new Uint8Array(0), 60_000);
    network.unblock('client', 'server');
    await clock.advanceAsync(100);
    client.close();
    assert.equal((await again).status.code, RpcCode.cancelled);
  });

  it('keeps a connection whose server answers', async () => {
    const { clock, client, calls, connections } = await servedCalls({ client: keepAlive });
    const opened = new OpenedStream(client, '/m');
    clock.advance(3_600_000);
    assert.equal(connections.length, 1);
    opened.stream.end();
    answer(calls[0]!);
    clock.advance(100);
    assert.equal((await opened.ended).code, RpcCode.ok);
  });
});

describe('gRPC calls when their server leaves', () => {
  it('end where they have begun, others go elsewhere', async () => {
    const { clock, client, calls, connections } = await servedCalls();
    const first = new OpenedStream(client, '/1');
    clock.advance(100);
    connections[0]!.drain(60_000);
    clock.advance(100);
    const second = new OpenedStream(client, '/2');
    clock.advance(100);
    assert.equal(connections.length, 2);
    for (const { stream } of [first, second]) stream.end();
    for (const call of calls) answer(call);
    clock.advance(100);
    assert.deepEqual([(await first.ended).code, (await second.ended).code], [0, 0]);
  });

  it('are made again, with all they have said, where the server has not looked at them', async () => {
    const { clock, client, calls, connections } = await servedCalls();
    const first = new OpenedStream(client, '/1');
    clock.advance(100);
    connections[0]!.drain(0);
    const second = new OpenedStream(client, '/2');
    second.stream.send(Buffer.from('hello'));
    second.stream.end();
    clock.advance(100);
    assert.equal(connections.length, 2);
    assert.deepEqual(calls[1]!.take().slice(1), [dataOf('hello'), 'end']);
    answer(calls[1]!);
    clock.advance(100);
    assert.equal((await second.ended).code, RpcCode.ok);
    client.close();
    assert.equal((await first.ended).code, RpcCode.cancelled);
  });

  it('are made again once', async () => {
    const { clock, client, calls, connections } = await servedCalls();
    const first = new OpenedStream(client, '/1');
    clock.advance(100);
    const refused = new OpenedStream(client, '/2');
    clock.advance(100);
    calls[1]!.stream!.reset(7);
    clock.advance(100);
    assert.equal(calls.length, 3, 'REFUSED_STREAM says as much');
    calls[2]!.stream!.reset(7);
    clock.advance(100);
    assert.deepEqual(await refused.ended, {
      code: RpcCode.unavailable,
      message: 'The server has not looked at the call.',
    });
    assert.deepEqual([calls.length, connections.length], [3, 1]);
    client.close();
    await first.ended;
  });

  it('are not made again once the server has answered', async () => {
    const { clock, client, calls } = await servedCalls();
    const opened = new OpenedStream(client, '/m');
    clock.advance(100);
    calls[0]!.stream!.sendHeaders(grpcHead, false);
    calls[0]!.stream!.reset(7);
    clock.advance(100);
    assert.equal((await opened.ended).code, RpcCode.unavailable);
    assert.equal(calls.length, 1);
  });

  it('are not made again once they have said much', async () => {
    const { clock, client, calls } = await servedCalls();
    const opened = new OpenedStream(client, '/m');
    opened.stream.send(Buffer.alloc(70_000));
    clock.advance(100);
    calls[0]!.stream!.reset(7);
    clock.advance(100);
    assert.equal((await opened.ended).code, RpcCode.unavailable);
    assert.equal(calls.length, 1);
  });
});

describe('the end of a gRPC call', () => {
  it('that has come from the server leaves nothing open', async () => {
    const { clock, client, calls } = await servedCalls();
    const opened = new OpenedStream(client, '/m');
    clock.advance(100);
    calls[0]!.take();
    answer(calls[0]!);
    clock.advance(100);
    assert.equal((await opened.ended).code, RpcCode.ok);
    assert.deepEqual(calls[0]!.take(), ['reset remote 0 http2.remote_reset']);
  });

  it('that is an answer other than gRPC spares the server the rest of it', async () => {
    const { clock, client, calls } = await servedCalls();
    const opened = new OpenedStream(client, '/m');
    opened.stream.end();
    clock.advance(100);
    calls[0]!.take();
    calls[0]!.stream!.sendHeaders(fieldsOf([':status', '404']), false);
    clock.advance(100);
    assert.equal((await opened.ended).code, RpcCode.unimplemented);
    assert.deepEqual(calls[0]!.take(), ['reset remote 0 http2.remote_reset']);
  });

  it('that nobody has put into a status is an error', async () => {
    const { clock, client, calls } = await servedCalls();
    const opened = new OpenedStream(client, '/m');
    clock.advance(100);
    calls[0]!.stream!.sendHeaders(grpcHead, false);
    calls[0]!.stream!.endStream();
    clock.advance(100);
    assert.deepEqual(await opened.ended, {
      code: RpcCode.unknown,
      message: 'The server ended the call without a status.',
    });
  });

  it('that this side brings about is told later, and nothing before it', async () => {
    const { clock, client, calls } = await servedCalls();
    const told: string[] = [];
    const stream = client.openStream('/m', {
      onMessage: (message) => {
        told.push(Buffer.from(message).toString());
        stream.cancel();
        told.push('cancelled');
      },
      onHalfClose: () => undefined,
      onWritable: () => undefined,
      onEnd: ({ code }) => told.push(`end ${code}`),
    });
    clock.advance(100);
    calls[0]!.stream!.sendHeaders(grpcHead, false);
    const both = Buffer.concat([frameMessage(Buffer.from('a')), frameMessage(Buffer.from('b'))]);
    calls[0]!.stream!.sendData(both, 0, both.length, false);
    await clock.advanceAsync(100);
    assert.deepEqual(told, ['a', 'cancelled', 'end 1']);
  });
});

it('a gRPC client that is closed drops connections that it was about to leave, too', async () => {
  const { clock, network, client, connections } = await servedCalls();
  const opened = new OpenedStream(client, '/1');
  clock.advance(100);
  connections[0]!.drain(60_000);
  clock.advance(100);
  client.close();
  clock.advance(100);
  assert.equal((await opened.ended).code, RpcCode.cancelled);
  assert.equal(network.find('10.0.0.2')!.openConnections, 0);
});

it('gRPC calls that wait for others to end are made elsewhere where those are lost', async () => {
  const { clock, client, calls, connections } = await servedCalls({ server: { maxConcurrentStreams: 1 } });
  const first = new OpenedStream(client, '/1');
  clock.advance(100);
  const second = new OpenedStream(client, '/2');
  clock.advance(100);
  connections[0]!.destroy();
  clock.advance(100);
  assert.equal((await first.ended).code, RpcCode.unavailable);
  assert.deepEqual([calls.length, connections.length], [2, 2]);
  client.close();
  await second.ended;
});

it('gRPC calls over the limit of their server wait for others to end', async () => {
  const { clock, client, calls, connections } = await servedCalls({ server: { maxConcurrentStreams: 1 } });
  const first = new OpenedStream(client, '/1');
  clock.advance(100);
  const second = new OpenedStream(client, '/2');
  clock.advance(100);
  assert.equal(calls.length, 1);
  first.stream.end();
  answer(calls[0]!);
  clock.advance(100);
  assert.deepEqual([calls.length, connections.length], [2, 1]);
  answer(calls[1]!);
  clock.advance(100);
  assert.deepEqual([(await first.ended).code, (await second.ended).code], [0, 0]);
});
