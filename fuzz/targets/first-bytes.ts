import assert from 'node:assert/strict';
import { clientHello } from '@heddle/testkit';
import { HttpSniffer } from '../../packages/proxy/src/inspect/http-sniffer.ts';
import { InspectResult } from '../../packages/proxy/src/inspect/inspect-result.ts';
import { readProxyHeader } from '../../packages/proxy/src/inspect/proxy-protocol.ts';
import { TlsHelloScanner } from '../../packages/proxy/src/inspect/tls-hello-scanner.ts';
import { bytesOf, type FuzzTarget, randomCuts } from '../target.ts';

interface Scanner {
  scan(buffer: Buffer, start: number, end: number): InspectResult;
}

/** What a scanner says of `input` in pieces, as one text. */
function scanInPieces<S extends Scanner>(
  scanner: S,
  input: Uint8Array,
  cuts: readonly number[],
  show: (scanner: S) => string,
): string {
  const bytes = Buffer.from(input);
  let at = 0;
  for (const end of [...cuts, bytes.length]) {
    const result = scanner.scan(bytes, at, end);
    if (result !== InspectResult.needMore) return `${result} ${show(scanner)}`;
    at = end;
  }
  return 'more';
}

function scannerTarget(
  name: string,
  seeds: readonly Uint8Array[],
  scan: (input: Uint8Array, cuts: readonly number[]) => string,
): FuzzTarget {
  return {
    name,
    seeds,
    run: (input, random) => {
      const whole = scan(input, []);
      assert.equal(
        scan(input, randomCuts(input.length, 6, random)),
        whole,
        'any split gives the same result',
      );
      assert.equal(scan(input, Array.from(input.keys())), whole, 'byte by byte gives the same result');
    },
  };
}

const hello = clientHello({ serverName: 'www.example.com', alpn: ['h2', 'http/1.1'] });

/** The TLS inspector: any split of the bytes gives the same result. */
export const tlsHello: FuzzTarget = scannerTarget(
  'tls-hello',
  [hello, clientHello({ serverName: '', alpn: [] }), Buffer.concat([hello, hello])],
  (input, cuts) =>
    scanInPieces(new TlsHelloScanner(), input, cuts, ({ serverName, applicationProtocols }) =>
      JSON.stringify([serverName, applicationProtocols]),
    ),
);

/** The HTTP inspector: any split of the bytes gives the same result. */
export const httpFirstLine: FuzzTarget = scannerTarget(
  'http-first-line',
  ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', '\r\nPRI * HTTP/1.0\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'].map(
    bytesOf,
  ),
  (input, cuts) => scanInPieces(new HttpSniffer(), input, cuts, ({ protocol }) => protocol),
);

/** The PROXY protocol's header: once it is decided, more bytes change nothing, and a header never reaches beyond its bytes. */
export const proxyHeaders: FuzzTarget = {
  name: 'proxy-protocol',
  seeds: [
    bytesOf('PROXY TCP4 192.0.2.1 198.51.100.1 5000 443\r\nGET /'),
    bytesOf('PROXY UNKNOWN\r\n'),
    Buffer.from('0d0a0d0a000d0a515549540a2111001301020304050607080001000204000100ea0000', 'hex'),
  ],
  run: (input) => {
    const bytes = Buffer.from(input);
    let decided: string | null = null;
    for (let length = 0; length <= bytes.length; length++) {
      const header = readProxyHeader(bytes, length);
      const answer = header.kind === 'incomplete' ? null : JSON.stringify(header);
      if (decided !== null) assert.equal(answer, decided, 'more bytes change nothing');
      if (header.kind === 'header') assert.ok(header.length <= length, 'a header ends where its bytes do');
      decided = answer;
    }
  },
};
