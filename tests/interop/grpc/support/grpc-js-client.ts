import {
  CallCredentials,
  Client,
  type ClientDuplexStream,
  Metadata,
  type StatusObject,
  compressionAlgorithms,
  credentials,
} from '@grpc/grpc-js';
import type { Outcome, Scenario } from '../scenarios.ts';
import { serviceName } from './echo-server.ts';
import { isPayload, payload } from './payload.ts';

const bytes = (value: Buffer): Buffer => value;

/** Makes all calls over one connection, one after the other. */
export async function callWithGrpcJs(port: number, scenarios: readonly Scenario[]): Promise<Outcome[]> {
  const channel = { 'grpc.max_receive_message_length': -1 };
  const address = `127.0.0.1:${port}`;
  const client = new Client(address, credentials.createInsecure(), channel);
  const compressing = new Client(address, credentials.createInsecure(), {
    ...channel,
    'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
  });
  try {
    const outcomes: Outcome[] = [];
    for (const scenario of scenarios)
      outcomes.push(await call(scenario.isCompressed ? compressing : client, scenario));
    return outcomes;
  } finally {
    client.close();
    compressing.close();
  }
}

/** On the wire all methods are streams: one client's call does for all of them. */
async function call(client: Client, scenario: Scenario): Promise<Outcome> {
  const stream: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
    `/${serviceName}/${scenario.method}`,
    bytes,
    bytes,
    metadataOf(scenario),
    {
      ...(scenario.deadlineMs > 0 && { deadline: Date.now() + scenario.deadlineMs }),
      credentials: CallCredentials.createEmpty(),
    },
  );
  const messages: Buffer[] = [];
  let header = '';
  const { promise, resolve } = Promise.withResolvers<StatusObject>();
  stream.on('metadata', (metadata) => (header = String(metadata.get('x-echo')[0] ?? '')));
  stream.on('status', resolve);
  stream.on('error', () => undefined);
  const { sizes } = scenario;
  if (scenario.method === 'Bidi') {
    if (sizes.length > 0) stream.write(payload(sizes[0]!));
    stream.on('data', (message: Buffer) => {
      messages.push(message);
      if (messages.length === scenario.cancelAfter) stream.cancel();
      else if (messages.length < sizes.length) stream.write(payload(sizes[messages.length]!));
      else stream.end();
    });
  } else {
    stream.on('data', (message: Buffer) => messages.push(message));
    for (const size of sizes) stream.write(payload(size));
    stream.end();
  }
  const { code, details, metadata } = await promise;
  return {
    name: scenario.name,
    code,
    details,
    count: messages.length,
    bytes: messages.reduce((sum, message) => sum + message.length, 0),
    isIntact: messages.every((message) => isPayload(message)),
    header,
    trailer: Buffer.from(metadata.get('x-echo-bin')[0] ?? '').toString(),
    received: String(metadata.get('x-received')[0] ?? ''),
    deadlineMs: String(metadata.get('x-deadline-ms')[0] ?? ''),
  };
}

function metadataOf({ metadata }: Scenario): Metadata {
  const fields = new Metadata();
  for (const [name, value] of Object.entries(metadata))
    fields.set(name, name.endsWith('-bin') ? Buffer.from(value) : value);
  return fields;
}
