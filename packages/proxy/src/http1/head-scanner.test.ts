import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { FieldId } from '../codec/field-name.ts';
import { FieldOffset, HeadError, HeadScanner, fieldStride, needMore } from './head-scanner.ts';

function scanWhole(
  text: string,
  isRequest = true,
): { readonly result: number; readonly scanner: HeadScanner } {
  const bytes = Buffer.from(text, 'latin1');
  const scanner = new HeadScanner(isRequest, 60 * 1024, 100);
  return { result: scanner.scan(bytes, 0, 0, bytes.length), scanner };
}

/** The same bytes in pieces, as a connection would see them. */
function scanSplit(
  text: string,
  cuts: readonly number[],
): { readonly result: number; readonly scanner: HeadScanner } {
  const bytes = Buffer.from(text, 'latin1');
  const scanner = new HeadScanner(true, 60 * 1024, 100);
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const end of [...ends, bytes.length]) {
    const result = scanner.scan(bytes, 0, from, end);
    if (result !== needMore) return { result, scanner };
    from = end;
  }
  return { result: needMore, scanner };
}

function describeHead(text: string, scanner: HeadScanner): unknown {
  const fields: string[] = [];
  for (let i = 0; i < scanner.fieldCount; i++) {
    const at = i * fieldStride;
    const part = (start: number, end: number): string =>
      text.slice(scanner.fields[at + start], scanner.fields[at + end]);
    const name = part(FieldOffset.nameStart, FieldOffset.nameEnd);
    fields.push(
      `${name}=${part(FieldOffset.valueStart, FieldOffset.valueEnd)}#${scanner.fields[at + FieldOffset.id]}`,
    );
  }
  const { methodEnd, targetStart, targetEnd, minorVersion, status } = scanner;
  return { methodEnd, targetStart, targetEnd, minorVersion, status, fields };
}

describe('the head scanner', () => {
  test('finds the parts of a request', () => {
    const text = 'GET /a?b HTTP/1.1\r\nHost: x\r\nContent-Length:\t5 \r\nX-Other:\r\n\r\nrest';
    const { result, scanner } = scanWhole(text);
    assert.equal(result, text.length - 4);
    assert.deepEqual(describeHead(text, scanner), {
      methodEnd: 3,
      targetStart: 4,
      targetEnd: 8,
      minorVersion: 1,
      status: 0,
      fields: [
        `Host=x#${FieldId.host}`,
        `Content-Length=5#${FieldId.contentLength}`,
        `X-Other=#${FieldId.other}`,
      ],
    });
  });

  test('finds the parts of a response, with and without a reason', () => {
    for (const [line, minor] of [
      ['HTTP/1.1 404 Not Found', 1],
      ['HTTP/1.0 404', 0],
    ] as const) {
      const { result, scanner } = scanWhole(`${line}\r\nServer: x\r\n\r\n`, false);
      assert.ok(result > 0);
      assert.equal(scanner.status, 404);
      assert.equal(scanner.minorVersion, minor);
    }
  });

  test('recognises names whatever their case', () => {
    const { scanner } = scanWhole(
      'GET / HTTP/1.1\r\ntRANSFER-eNCODING: chunked\r\nX-ENVOY-Retry-On: 5xx\r\nX-Envoyé: 1\r\n\r\n',
    );
    assert.equal(scanner.fields[FieldOffset.id], FieldId.transferEncoding);
    assert.equal(scanner.fields[fieldStride + FieldOffset.id], FieldId.routerInstruction);
  });

  const refused: readonly (readonly [string, number])[] = [
    ['GET / HTTP/1.1\nHost: a\r\n\r\n', HeadError.badLineEnd],
    ['GET / HTTP/1.1\r\nHost: a\n\r\n', HeadError.badLineEnd],
    ['GET / HTTP/1.1\r\nHost: a\r\n\n', HeadError.badLineEnd],
    ['GET / HTTP/1.1\r\nHost: a\rX\r\n\r\n', HeadError.badLineEnd],
    ['GET / HTTP/1.1\r\n Host: a\r\n\r\n', HeadError.lineFolding],
    ['GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n', HeadError.lineFolding],
    ['GET / HTTP/1.1\r\nHost : a\r\n\r\n', HeadError.badFieldName],
    ['GET / HTTP/1.1\r\n: a\r\n\r\n', HeadError.badFieldName],
    ['GET / HTTP/1.1\r\nHost\r\n\r\n', HeadError.badFieldName],
    ['GET / HTTP/1.1\r\nA: b\0c\r\n\r\n', HeadError.badFieldValue],
    ['GET / HTTP/1.1\r\nA: \x7f\r\n\r\n', HeadError.badFieldValue],
    [' GET / HTTP/1.1\r\n\r\n', HeadError.badMethod],
    ['GE(T / HTTP/1.1\r\n\r\n', HeadError.badMethod],
    ['GET  / HTTP/1.1\r\n\r\n', HeadError.badTarget],
    ['GET /\x80 HTTP/1.1\r\n\r\n', HeadError.badTarget],
    ['GET / HTTP/1.1 \r\n\r\n', HeadError.badVersion],
    ['GET / http/1.1\r\n\r\n', HeadError.badVersion],
    ['GET / HTTP/2.0\r\n\r\n', HeadError.unsupportedVersion],
    ['GET / HTTP/1.2\r\n\r\n', HeadError.unsupportedVersion],
    ['GET /\r\n\r\n', HeadError.badVersion],
    ['\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n', HeadError.badMethod],
  ];
  for (const [text, error] of refused) {
    test(`refuses ${JSON.stringify(text)}`, () => {
      assert.equal(scanWhole(text).result, error);
    });
  }

  test('takes up to two empty lines in front of a request', () => {
    assert.ok(scanWhole('\r\n\r\nGET / HTTP/1.1\r\n\r\n').result > 0);
  });

  test('bounds the bytes and the fields of a head', () => {
    const scanner = new HeadScanner(true, 64, 100);
    const long = Buffer.from(`GET /${'a'.repeat(100)} HTTP/1.1\r\n\r\n`);
    assert.equal(scanner.scan(long, 0, 0, long.length), HeadError.tooLarge);
    assert.equal(
      scanWhole(`GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(101)}\r\n`).result,
      HeadError.tooManyFields,
    );
    assert.ok(scanWhole(`GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(100)}\r\n`).result > 0);
  });

  test('gives the same result for any split of the bytes', () => {
    const line = fc.constantFrom(
      'Host: a',
      'Content-Length: 12',
      'X:  spaced  ',
      'Bad Name: 1',
      'folded',
      ' folded: x',
      'A: b\0',
      'Connection: close',
    );
    const heads = fc
      .tuple(
        fc.constantFrom('GET / HTTP/1.1', 'POST /x?y HTTP/1.0', 'GET  / HTTP/1.1', 'GET / HTTP/3.0'),
        fc.array(line, { maxLength: 6 }),
        fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r'),
      )
      .map(([first, lines, end]) =>
        [first, ...lines, '', '']
          .join(end === '\r\n' ? '\r\n' : `\r\n`)
          .replace(/\r\n$/, end === '\r\n' ? '\r\n' : end),
      );
    fc.assert(
      fc.property(heads, fc.array(fc.nat(200), { maxLength: 12 }), (text, cuts) => {
        const whole = scanWhole(text);
        const split = scanSplit(text, cuts);
        assert.equal(split.result, whole.result);
        if (whole.result > 0)
          assert.deepEqual(describeHead(text, split.scanner), describeHead(text, whole.scanner));
      }),
      { numRuns: 500 },
    );
  });
});
