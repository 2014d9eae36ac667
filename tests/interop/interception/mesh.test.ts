// A whole mesh whose applications know nothing of it: names by captured DNS, routes and mTLS by their sidecars.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '@heddle/testkit';
import {
  Address,
  NetworkNamespace,
  createPair,
  launcher,
  skipInterception,
} from './support/network-namespace.ts';
import { listenIn } from './support/order.ts';

const skip = skipInterception('curl', 'python3', 'java', 'setpriv');
const file = (name: string): string => fileURLToPath(new URL(`support/${name}`, import.meta.url));
const application = `require('node:http').createServer((request, response) => {
  response.end('reviews for ' + request.headers.host + ', asked by ' + request.headers['x-forwarded-client-cert'] + '\\n');
}).listen(process.env.PORT, '127.0.0.1')`;

/** Speaks first, as MySQL does. */
const serverFirst = `require('node:net').createServer((socket) => {
  socket.end('the database, asked by nobody yet\\n');
}).listen(process.env.PORT, '127.0.0.1')`;
/** HTTP/2 without TLS and nothing else, as most servers of gRPC. */
const http2Server = `require('node:http2').createServer((request, response) => {
  response.end('HTTP/2 for ' + request.headers[':authority'] + '\\n');
}).listen(81, '0.0.0.0', () => console.log('listening'))`;
// Until the sidecar has heard of the database, which came a moment before it, connections are closed: curl tries again, too.
const askDatabase = `import socket, time
def ask(): return socket.create_connection(("db", 5432), 10).recv(100)
while not (answer := ask()): time.sleep(0.1)
print(answer.decode(), end="")`;

describe('heddle run --intercept', { skip }, () => {
  test('an application reaches the mesh by its names, and everything else as before', async () => {
    await using stack = new AsyncDisposableStack();
    const { app, world } = stack.use(await createPair());
    const directory = stack.use(await temporaryDirectory());
    const store = join(directory.path, 'store');
    const http = [{ host: '0.0.0.0', port: 80 }];
    await listenIn(stack, world, { label: 'world', redirected: false, tcp: [], udp: [], http });
    await stack.use(await world.start([process.execPath, '-e', http2Server])).line(/^listening$/);
    const up = stack.use(await app.start([launcher, 'up', '--store', store]));
    await up.line(/dashboard|control plane/i);
    const service = ['run', '--store', store, '--service', 'reviews', '--port', '9080', '--'];
    const reviews = stack.use(await app.start([launcher, ...service, process.execPath, '-e', application]));
    await reviews.line(/is published as reviews\.default:9080/);
    const database = [
      'run',
      '--store',
      store,
      '--service',
      'db',
      '--port',
      '5432',
      '--protocol',
      'tcp',
      '--',
    ];
    const db = stack.use(await app.start([launcher, ...database, process.execPath, '-e', serverFirst]));
    await db.line(/is published as db\.default:5432/);

    const urls = [
      'http://reviews:9080/',
      'http://reviews.default.svc.cluster.local:9080/',
      `http://${Address.service}/`,
    ];
    const list = urls.join(' ');
    const programs = [
      `python3 -c '${askDatabase}'`,
      `curl --silent --show-error --max-time 10 --retry 3 ${list}`,
      `curl --silent --show-error --max-time 10 --http2-prior-knowledge ${urls[0]} http://${Address.service}:81/`,
      `python3 '${file('client.py')}' ${list}`,
      `java '${file('Client.java')}' ${list}`,
    ];
    const flags = `run --store ${store} --service client --port 0 --intercept redirect --`.split(' ');
    const client = await app.run([launcher, ...flags, 'sh', '-ec', programs.join('\n')]);
    assert.equal(client.exit?.code, 0, client.output);
    const caller = /asked by .*URI=spiffe:\/\/cluster\.local\/ns\/default\/sa\/client$/;
    const lines = client.stdout.trim().split('\n');
    // Java asks twice, with each of its clients; all but curl print the status.
    assert.equal(lines.length, 3 + 2 + 3 + 6 + 1, client.output);
    const reviewsLines = lines.filter((line) => line.includes('reviews for'));
    assert.equal(reviewsLines.length, 2 + 1 + 2 + 4);
    for (const line of reviewsLines) {
      assert.match(line, /^(?:200 )?reviews for reviews(?:\.default\.svc\.cluster\.local)?:9080, /);
      assert.match(line, caller);
    }
    const foreign = `world ${Address.service} by a proxy from ${Address.app}`;
    assert.equal(lines.filter((line) => line.endsWith(foreign)).length, 1 + 1 + 2);
    assert.equal(lines.filter((line) => line === `HTTP/2 for ${Address.service}:81`).length, 1);
    assert.equal(lines[0], 'the database, asked by nobody yet');
    assert.equal((await app.heddle('intercept', 'show')).stdout, '', 'the rules are gone with the client');
  });

  test('the rules end with the workload, however it ends, and are nobody else’s', async () => {
    await using stack = new AsyncDisposableStack();
    const app = stack.use(await NetworkNamespace.create());
    const directory = stack.use(await temporaryDirectory());
    const store = join(directory.path, 'store');
    const up = stack.use(await app.start([launcher, 'up', '--store', store]));
    await up.line(/dashboard|control plane/i);
    const words = `run --store ${store} --service client --port 0 --intercept redirect`.split(' ');
    const rules = async (): Promise<string> => (await app.heddle('intercept', 'show')).stdout;

    const first = stack.use(await app.start([launcher, ...words, '--', 'sleep', '600']));
    await first.line(/lead through the sidecar, by its ports 15001 and 15006/);
    assert.match(await rules(), /HEDDLE_OUTPUT.* --to-ports 15053|HEDDLE_REDIRECT.* --to-ports 15001/);
    const second = await app.run([launcher, ...words, '--', 'true']);
    assert.equal(second.exit?.code, 125, second.output);
    assert.match(second.output, /another heddle run intercepts this network namespace already/);

    first.kill('SIGKILL');
    // Waits until the guard is done.
    const third = stack.use(await app.start([launcher, ...words, '--', 'sleep', '600']));
    await third.line(/lead through the sidecar/);
    third.kill('SIGTERM');
    await third.ended();
    assert.equal(await rules(), '');

    await app.heddle('intercept', 'apply');
    const before = await rules();
    const fourth = await app.run([launcher, ...words, '--', 'true']);
    assert.equal(fourth.exit?.code, 125, fourth.output);
    assert.match(fourth.output, /rules of heddle intercept apply are in force already/);
    const kept = await app.run([launcher, ...words, '--intercept-rules', 'keep', '--', 'true']);
    assert.equal(kept.exit?.code, 0, kept.output);
    assert.equal(await rules(), before);
    const unprivileged = ['setpriv', '--reuid', '65534', '--clear-groups', '--'];
    const denied = await app.run([...unprivileged, launcher, ...words, '--', 'true']);
    assert.match(denied.output, /--intercept needs root or the capabilities CAP_NET_ADMIN and CAP_SETGID/);
  });
});
