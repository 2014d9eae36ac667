// Suites over HTTP/2, without TLS on both sides: what a request, a call, or a GiB of messages costs.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BackendKind, grpcBackend, http2Backend } from './backend.ts';
import { type H2LoadResult, type H2Request, type H2Shape, h2loadFor } from './h2load.ts';
import type { Peer } from './peer.ts';
import { frontPort } from './place.ts';
import { ProcessTree, mebibytes } from './processes.ts';
import { proveBackend, proveBytes, proveCount, proveStrictness } from './proof.ts';
import { type Bench, type Column, type Sample, type Suite, withPeer } from './suite.ts';

/** What makes one of them. */
interface Plan {
  readonly name: string;
  readonly title: string;
  readonly backend: BackendKind;
  readonly shape: H2Shape;
  /** Of each answer's body. */
  readonly answerBytes: number;
  /** Messages of each request, and the length of each; none for GET. */
  readonly messages: number;
  readonly messageBytes: number;
  readonly warmUpCount: number;
  /** The first is what peers are compared by. */
  readonly columns: readonly Column[];
  /** The suite's own figures, by their columns. */
  figures(result: H2LoadResult, cpuMs: number): Record<string, number>;
}

const shared: readonly Column[] = [
  { key: 'meanMs', title: 'mean ms', digits: 2 },
  { key: 'privateMiB', title: 'private MiB', digits: 1 },
  { key: 'residentMiB', title: 'RSS MiB', digits: 1 },
  { key: 'errors', title: 'errors', digits: 0 },
];

const perRequest: Pick<Plan, 'columns' | 'figures'> = {
  columns: [
    { key: 'cpuUs', title: 'CPU µs/req', digits: 1 },
    { key: 'requestsPerSecond', title: 'req/s', digits: 0 },
    ...shared,
  ],
  figures: ({ answered, durationUs }, cpuMs) => ({
    cpuUs: (cpuMs * 1000) / answered,
    requestsPerSecond: (answered * 1_000_000) / durationUs,
  }),
};

/** A gRPC message's flags and length. */
const prefixBytes = 5;
const callHeaders = ['content-type: application/grpc', 'te: trailers'];

/** A call's request: its path, its fields, and a file of messages. */
export function grpcRequest(directory: string, messages: number, messageBytes: number): H2Request {
  const message = Buffer.alloc(prefixBytes + messageBytes, 'a');
  message[0] = 0;
  message.writeUInt32BE(messageBytes, 1);
  const bodyFile = join(directory, `call-${messages}x${messageBytes}.bin`);
  writeFileSync(bodyFile, Buffer.concat(Array.from({ length: messages }, () => message)));
  return { path: '/bench.Echo/Call', headers: callHeaders, bodyFile };
}

const get: H2Request = { path: '/', headers: [], bodyFile: null };

function suiteOf(plan: Plan): Suite {
  const suite: Suite = {
    name: plan.name,
    title: plan.title,
    front: 'h2',
    backend: plan.backend,
    needs: ['h2load'],
    rounds: 3,
    seconds: 5,
    columns: plan.columns,
    run: async (bench) => {
      const samples: Sample[] = [];
      const request =
        plan.messages === 0 ? get : grpcRequest(bench.directory, plan.messages, plan.messageBytes);
      for (let round = 1; round <= bench.rounds; round++) {
        for (const peer of bench.peers) {
          const values = await measure(bench, suite, plan, request, peer);
          samples.push({ peer: peer.name, values });
          const [first, second] = plan.columns as [Column, Column];
          const shown = [first, second].map(
            ({ key, title, digits }) => `${values[key]!.toFixed(digits)} ${title}`,
          );
          bench.say(`round ${round}  ${peer.name.padEnd(8)} ${shown.join(', ')}`);
        }
      }
      return samples;
    },
  };
  return suite;
}

function measure(
  bench: Bench,
  suite: Suite,
  plan: Plan,
  request: H2Request,
  peer: Peer,
): Promise<Record<string, number>> {
  return withPeer(bench, peer, suite, async ({ place, proxies, backend }) => {
    const tree = ProcessTree.of(proxies);
    let before = 0;
    const begin = (): void => void (before = tree.cpuMs);
    const { shape, warmUpCount, answerBytes } = plan;
    const result = await h2loadFor(frontPort(place), request, shape, warmUpCount, bench.seconds, begin);
    const cpuMs = tree.cpuMs - before;
    const { memory } = tree;
    await proveCount(peer, place, { requests: result.sent, bytes: 0 });
    await proveStrictness(peer, place);
    proveBackend(peer, await backend.count(), result.sent - result.errors, result.sent);
    proveBytes(peer, result.bodyBytes, result.answered * answerBytes);
    return {
      ...plan.figures(result, cpuMs),
      meanMs: result.meanUs / 1000,
      privateMiB: mebibytes(memory.private),
      residentMiB: mebibytes(memory.resident),
      errors: result.errors,
    };
  });
}

const bodyBytes = 128;
const many: H2Shape = { connections: 8, streams: 10 };

export const http2Suite: Suite = suiteOf({
  name: 'http2',
  title: `8 connections of 10 streams over HTTP/2, responses of ${bodyBytes} bytes`,
  backend: http2Backend(bodyBytes),
  shape: many,
  answerBytes: bodyBytes,
  messages: 0,
  messageBytes: 0,
  warmUpCount: 20_000,
  ...perRequest,
});

export const grpcSuite: Suite = suiteOf({
  name: 'grpc',
  title: `8 connections of 10 streams, unary gRPC calls, messages of ${bodyBytes} bytes`,
  backend: grpcBackend(bodyBytes, 1),
  shape: many,
  answerBytes: prefixBytes + bodyBytes,
  messages: 1,
  messageBytes: bodyBytes,
  warmUpCount: 20_000,
  ...perRequest,
});

const streamedBytes = 65_536;
const streamedMessages = 16;
const callBytes = streamedMessages * (prefixBytes + streamedBytes);

export const grpcStreamSuite: Suite = suiteOf({
  name: 'grpc-stream',
  title: `8 connections of 2 streams, each call ${streamedMessages} messages of 64 KiB there and as many back`,
  backend: grpcBackend(streamedBytes, streamedMessages),
  shape: { connections: 8, streams: 2 },
  answerBytes: callBytes,
  messages: streamedMessages,
  messageBytes: streamedBytes,
  warmUpCount: 160,
  columns: [
    { key: 'cpuMsPerGiB', title: 'CPU ms/GiB', digits: 0 },
    { key: 'mibPerSecond', title: 'MiB/s', digits: 0 },
    ...shared,
  ],
  figures: ({ answered, durationUs }, cpuMs) => {
    const mib = mebibytes(2 * answered * callBytes);
    return { cpuMsPerGiB: (cpuMs * 1024) / mib, mibPerSecond: (mib * 1_000_000) / durationUs };
  },
});
