// As much of HTTP/2 as it takes to see what a proxy says to one request: frames are written and read by hand, since a library
// would not send what is forbidden.
import { connect } from 'node:net';

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const frameHeadBytes = 9;
const FrameType = { headers: 1, resetStream: 3, settings: 4, goAway: 7 } as const;
const endStreamAndHeaders = 5;
/** `:status: 200` as every encoder writes it first: an index of the static table (RFC 7541, Appendix A). */
const status200 = 0x88;

/** GET http://proof/ as literals and indices of the static table, with more fields behind it. */
function requestBlock(fields: readonly (readonly [string, string])[]): Buffer {
  const parts = [Buffer.from([0x82, 0x86, 0x84, 0x01, 5]), Buffer.from('proof')];
  for (const [name, value] of fields)
    parts.push(
      Buffer.from([0, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    );
  return Buffer.concat(parts);
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(frameHeadBytes);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** `ok` for a response with status 200, `refused` for any other, a reset, or the end of the connection. */
export type H2Answer = 'ok' | 'refused';

/** Sends one request with these fields and says how it is answered. */
export function askOverHttp2(
  port: number,
  fields: readonly (readonly [string, string])[] = [],
): Promise<H2Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(preface);
      socket.write(frame(FrameType.settings, 0, 0, Buffer.alloc(0)));
      socket.write(frame(FrameType.headers, endStreamAndHeaders, 1, requestBlock(fields)));
    });
    let received = Buffer.alloc(0);
    const settle = (answer: H2Answer): void => {
      resolve(answer);
      socket.destroy();
    };
    socket.setTimeout(5000, () => socket.destroy(new Error('no answer for 5 s')));
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      const answer = firstAnswer(received);
      if (answer !== null) settle(answer);
    });
    socket.once('error', reject);
    socket.once('close', () => settle('refused'));
  });
}

function firstAnswer(bytes: Buffer): H2Answer | null {
  for (let at = 0; at + frameHeadBytes < bytes.length;) {
    const type = bytes[at + 3];
    if (type === FrameType.headers) return bytes[at + frameHeadBytes] === status200 ? 'ok' : 'refused';
    if (type === FrameType.resetStream || type === FrameType.goAway) return 'refused';
    at += frameHeadBytes + bytes.readUIntBE(at, 3);
  }
  return null;
}
