// An application that says what happens to it: a request to /hold is answered only after one to /release, and SIGTERM
// makes it end with exit code 7.
import { createServer, type ServerResponse } from 'node:http';

const held: ServerResponse[] = [];

const server = createServer((request, response) => {
  if (request.url === '/hold') {
    held.push(response);
    console.log('holding a request');
    return;
  }
  if (request.url === '/release') for (const waiting of held.splice(0)) waiting.end('released\n');
  response.end('ok\n');
});
server.listen(Number(process.env['PORT']), '127.0.0.1', () => console.log(`port ${process.env['PORT']}`));

process.on('SIGTERM', () => {
  console.log(`SIGTERM with ${held.length} requests held`);
  process.exit(7);
});
