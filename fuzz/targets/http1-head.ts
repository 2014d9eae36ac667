import assert from 'node:assert/strict';
import { HeadScanner, needMore } from '../../packages/proxy/src/http1/head-scanner.ts';
import { bytesOf, type FuzzTarget, randomCuts } from '../target.ts';

const fieldNumbers = 5;

/** Everything a scan found out, as one text. */
function scanInPieces(input: Uint8Array, cuts: readonly number[], isRequest: boolean): string {
  const scanner = new HeadScanner(isRequest, 4096, 32);
  let from = 0;
  let answer = needMore;
  for (const end of [...cuts, input.length]) {
    answer = scanner.scan(input, 0, from, end);
    if (answer !== needMore) break;
    from = end;
  }
  if (answer < 0) return String(answer);
  const fields = scanner.fields.subarray(0, scanner.fieldCount * fieldNumbers);
  const { methodEnd, targetStart, targetEnd, minorVersion, status, startLineStart, fieldsStart } = scanner;
  const line = isRequest ? [methodEnd, targetStart, targetEnd, startLineStart] : [status];
  return JSON.stringify([answer, minorVersion, fieldsStart, line, [...fields]]);
}

function target(name: string, isRequest: boolean, seeds: readonly string[]): FuzzTarget {
  return {
    name,
    seeds: seeds.map(bytesOf),
    run: (input, random) => {
      const whole = scanInPieces(input, [], isRequest);
      const pieces = scanInPieces(input, randomCuts(input.length, 6, random), isRequest);
      assert.equal(pieces, whole, 'any split of the bytes gives the same result');
      const single = scanInPieces(input, Array.from(input.keys()), isRequest);
      assert.equal(single, whole, 'byte by byte gives the same result');
    },
  };
}

/** Heads of requests: any split of the bytes gives the same result. */
export const requestHead: FuzzTarget = target('http1-request-head', true, [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  '\r\nPOST /x?y=1 HTTP/1.0\r\nHost: a:80\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nX-A:\t b c \r\n\r\nhello',
  'OPTIONS * HTTP/1.1\r\nhost: [::1]:80\r\nconnection: keep-alive, x-a\r\nexpect: 100-continue\r\n\r\n',
]);

/** Heads of responses: any split of the bytes gives the same result. */
export const responseHead: FuzzTarget = target('http1-response-head', false, [
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.0 404 \r\nserver: x\r\ntransfer-encoding: chunked\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
]);
