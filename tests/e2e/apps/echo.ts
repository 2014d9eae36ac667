// A server that speaks first, sends back what it gets, and says how much that was when its client has said all.
import { createServer } from 'node:net';

createServer({ allowHalfOpen: true }, (socket) => {
  let bytes = 0;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    // Asked to be silent it ends its own direction, and goes on listening.
    if (chunk.includes('hush')) socket.end('hushed\n');
    else if (!socket.writableEnded) socket.write(chunk);
    else process.stdout.write(`heard ${bytes} bytes\n`);
  });
  socket.on('end', () => {
    if (!socket.writableEnded) socket.end(`${bytes} bytes\n`);
  });
  socket.write(`hello from ${process.pid}\n`);
}).listen(Number(process.env['PORT']), '127.0.0.1');
