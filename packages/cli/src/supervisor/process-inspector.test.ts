import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { inspectProcessTree, isLoopback, parseKernelAddress, parseTcpTable } from './process-inspector.ts';
import { openListeners, straightConnections, wrongPort } from './watch-application.ts';

test("reads the kernel's addresses", () => {
  assert.equal(parseKernelAddress('0100007F'), '127.0.0.1');
  assert.equal(parseKernelAddress('00000000'), '0.0.0.0');
  assert.equal(parseKernelAddress('00000000000000000000000001000000'), '::1');
  assert.equal(parseKernelAddress('00000000000000000000000000000000'), '::');
  assert.equal(parseKernelAddress('0000000000000000FFFF00000100007F'), '127.0.0.1');
  assert.equal(parseKernelAddress('B80D01200000000000000000010A0000'), '2001:db8:0:0:0:0:0:a01');
  assert.ok(isLoopback('127.0.0.53') && isLoopback('::1') && !isLoopback('0.0.0.0') && !isLoopback('::'));
});

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0
   1: 0100007F:C350 0100007F:4E21 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 20 4 30 10 -1
`;

test('finds listeners that are open to others, listeners on the wrong port and connections past the mesh', () => {
  const view = { executables: [], sockets: parseTcpTable(table) };
  assert.deepEqual(
    view.sockets.map(({ inode }) => inode),
    ['111', '222'],
  );
  assert.match(openListeners(view)[0]?.message ?? '', /listens on 0\.0\.0\.0:8080/);
  assert.equal(wrongPort(view, 8080), null);
  assert.match(wrongPort(view, 9080)?.hint ?? '', /--app-port 8080/);
  assert.match(
    wrongPort({ executables: [], sockets: [] }, 9080)?.message ?? '',
    /doesn't listen on port 9080/,
  );
  assert.equal(straightConnections(view, new Map([[20_002, 'ratings']])).length, 0);
  const [finding] = straightConnections(view, new Map([[20_001, 'ratings']]));
  assert.match(finding?.message ?? '', /straight to ratings \(port 20001\)/);
});

test('sees what a running process listens on', { skip: process.platform !== 'linux' }, async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const view = await inspectProcessTree(process.pid);
  server.close();
  const port = typeof address === 'object' ? address?.port : 0;
  assert.ok(view !== null);
  assert.ok(view.sockets.some(({ state, localPort }) => state === 'listen' && localPort === port));
  assert.ok(view.executables.some((path) => path.endsWith('node')));
});
