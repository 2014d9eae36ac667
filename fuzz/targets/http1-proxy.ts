// The whole data plane: whatever a client sends, an upstream gets only what a strict recipient reads in one way, and it
// does not matter where the bytes are cut; whatever an upstream answers, the client gets at most one response.
import assert from 'node:assert/strict';
import { readStrictly } from '../../tests/conformance/strict-request.ts';
import { essence, replayRequest, replayResponse } from '../../tests/conformance/http1-replay.ts';
import { MemoryProxy } from '../../tests/support/memory-proxy.ts';
import { requestCases } from '../../tests/wire/requests.ts';
import { responseCases } from '../../tests/wire/responses.ts';
import { mutateHttp1 } from '../grammar/http1.ts';
import { type FuzzTarget, bytesOf, randomCuts } from '../target.ts';

const proxy = await MemoryProxy.start();

function piecesOf(text: string, cuts: readonly number[]): string[] {
  return [...cuts, text.length].map((end, index, all) => text.slice(all[index - 1] ?? 0, end));
}

/** Requests of a client. */
export const proxiedRequests: FuzzTarget = {
  name: 'http1-proxied-requests',
  seeds: requestCases.flatMap(({ request = '' }) => (request.length < 2000 ? [bytesOf(request)] : [])),
  mutate: mutateHttp1,
  run: (input, random) => {
    const text = Buffer.from(input).toString('latin1');
    let sent = '';
    const whole = replayRequest(proxy, [text], (bytes) => {
      sent = bytes;
      assert.equal(readStrictly(bytes).problem, '', 'the upstream can read what it gets');
    });
    const ids = sent.match(/\r\nx-request-id: [0-9a-f-]{36}\r\n/g)?.length ?? 0;
    assert.ok(
      ids >= readStrictly(sent).requests.length,
      'no request reaches the upstream that was not routed',
    );
    const pieces = replayRequest(proxy, piecesOf(text, randomCuts(text.length, 4, random)));
    assert.equal(essence(pieces), essence(whole), 'any split of the bytes gives the same result');
  },
};

/** Responses of an upstream. */
export const proxiedResponses: FuzzTarget = {
  name: 'http1-proxied-responses',
  seeds: responseCases.flatMap(({ response = '' }) => (response.length < 2000 ? [bytesOf(response)] : [])),
  mutate: mutateHttp1,
  run: (input, random) => {
    const text = Buffer.from(input).toString('latin1');
    const options = { isHead: random.chance(0.2), endsAfter: true };
    const whole = replayResponse(proxy, [text], options);
    const finals = whole.messages.filter(({ line }) => !line.startsWith('HTTP/1.1 1'));
    assert.ok(finals.length <= 1, 'at most one response');
    const pieces = replayResponse(proxy, piecesOf(text, randomCuts(text.length, 4, random)), options);
    assert.equal(essence(pieces), essence(whole), 'any split of the bytes gives the same result');
  },
};
