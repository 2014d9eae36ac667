import assert from 'node:assert/strict';
import { frameMessage, MessageDeframer } from '../../packages/xds/src/message-framing.ts';
import { type FuzzTarget, randomCuts } from '../target.ts';

function messagesOf(input: Uint8Array, cuts: readonly number[]): string {
  const messages: string[] = [];
  const deframer = new MessageDeframer(1024, (message) =>
    messages.push(Buffer.from(message).toString('hex')),
  );
  let start = 0;
  let failure: string | null = null;
  for (const end of [...cuts, input.length]) {
    // What a caller does with its buffer afterwards must not matter.
    const scratch = Buffer.from(input);
    failure = deframer.push(scratch, start, end);
    scratch.fill(0xdd);
    start = end;
  }
  return JSON.stringify({ messages, failure, atBoundary: failure === null && deframer.isAtBoundary });
}

/** gRPC's framing: any split of the bytes gives the same messages. */
export const grpcMessages: FuzzTarget = {
  name: 'grpc-messages',
  seeds: [
    Buffer.concat([
      frameMessage(Buffer.from('one')),
      frameMessage(Buffer.alloc(0)),
      frameMessage(Buffer.from('three')),
    ]),
    Buffer.from([1, 0, 0, 0, 1, 0]),
    Buffer.from([0, 255, 255, 255, 255, 0]),
  ],
  run: (input, random) => {
    const whole = messagesOf(input, []);
    assert.equal(
      messagesOf(input, randomCuts(input.length, 6, random)),
      whole,
      'any split gives the same messages',
    );
  },
};
