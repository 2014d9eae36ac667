// A client of gRPC-Web as a page in a browser is one: fetch, which shows no trailers.
import assert from 'node:assert/strict';
import { serviceName } from './echo-server.ts';

/** What came of a call. */
export interface WebOutcome {
  readonly messages: readonly Buffer[];
  readonly status: string;
  readonly details: string;
  readonly echo: string;
}

/** Flag of the frame that holds trailers. */
const trailersFlag = 0x80;
const textType = 'application/grpc-web-text';

/** Calls a method with one message, in binary or in base64. */
export async function callFromPage(
  port: number,
  method: string,
  message: Buffer,
  metadata: Readonly<Record<string, string>>,
  isText: boolean,
): Promise<WebOutcome> {
  const type = isText ? textType : 'application/grpc-web+proto';
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  const body = Buffer.concat([prefix, message]);
  const response = await fetch(`http://127.0.0.1:${port}/${serviceName}/${method}`, {
    method: 'POST',
    headers: { 'content-type': type, accept: type, 'x-grpc-web': '1', ...metadata },
    body: isText ? body.toString('base64') : body,
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), isText ? `${textType}+proto` : type);
  const bytes = Buffer.from(await response.arrayBuffer());
  const messages: Buffer[] = [];
  let trailers = new Headers(response.headers);
  for (const [flags, content] of frames(isText ? decoded(bytes.toString('latin1')) : bytes)) {
    if (flags === trailersFlag) trailers = headersOf(content.toString('latin1'));
    else messages.push(content);
  }
  return {
    messages,
    status: trailers.get('grpc-status') ?? '',
    details: decodeURIComponent(trailers.get('grpc-message') ?? ''),
    echo: response.headers.get('x-echo') ?? '',
  };
}

/** Pieces of base64 with padding of their own, one behind the other. */
function decoded(text: string): Buffer {
  const pieces = text.match(/[^=]+=*/g) ?? [];
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece, 'base64')));
}

function* frames(bytes: Buffer): Generator<[flags: number, content: Buffer]> {
  let at = 0;
  while (at < bytes.length) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    yield [bytes[at]!, bytes.subarray(at + 5, end)];
    at = end;
  }
}

function headersOf(lines: string): Headers {
  const headers = new Headers();
  for (const line of lines.split('\r\n').filter((one) => one !== '')) {
    const colon = line.indexOf(':');
    headers.append(line.slice(0, colon), line.slice(colon + 1));
  }
  return headers;
}
