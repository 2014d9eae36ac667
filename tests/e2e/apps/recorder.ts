// An application that remembers every byte it has received, by connection. `GET /record` answers with that; anything
// else is answered with the marker of its first argument, many times over.
import { createServer } from 'node:net';

/** What came over one connection. */
export interface RecordedConnection {
  bytes: number;
  /** The first characters received. */
  start: string;
  /** Whether the request marker was among them. */
  hasMarker: boolean;
}

const [marker = '', requestMarker = ''] = process.argv.slice(2);
const connections: RecordedConnection[] = [];
const answerBody = Buffer.from(`${marker} `.repeat(2_000));

createServer((socket) => {
  const record: RecordedConnection = { bytes: 0, start: '', hasMarker: false };
  connections.push(record);
  let pending = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    record.bytes += chunk.length;
    if (record.start.length < 200) record.start += chunk.toString('latin1').slice(0, 200);
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const headEnd = pending.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const head = pending.toString('latin1', 0, headEnd);
      const end = headEnd + 4 + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      if (pending.length < end) return;
      record.hasMarker ||= requestMarker !== '' && pending.subarray(0, end).includes(requestMarker);
      pending = pending.subarray(end);
      const body = head.startsWith('GET /record ') ? Buffer.from(JSON.stringify(connections)) : answerBody;
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`);
      socket.write(body);
    }
  });
}).listen(Number(process.env['PORT']), '127.0.0.1');
