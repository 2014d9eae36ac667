// A server of WebSockets, as far as their handshake: behind it, it sends back what it gets.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const id = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

createServer((_, response) => response.end('no WebSocket\n'))
  .on('upgrade', (request, socket) => {
    const key = request.headers['sec-websocket-key'] ?? '';
    const accept = createHash('sha1').update(`${key}${id}`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  })
  .listen(Number(process.env['PORT']), '127.0.0.1');
