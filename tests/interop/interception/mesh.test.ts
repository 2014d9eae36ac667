// A whole mesh whose applications know nothing of it: names by captured DNS, routes and mTLS by their sidecars.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '@heddle/testkit';
import { Address, createPair, launcher, skipInterception } from './support/network-namespace.ts';
import { listenIn } from './support/order.ts';

const skip = skipInterception('curl', 'python3', 'java');
const file = (name: string): string => fileURLToPath(new URL(`support/${name}`, import.meta.url));
const application = `require('node:http').createServer((request, response) => {
  response.end('reviews for ' + request.headers.host + ', asked by ' + request.headers['x-forwarded-client-cert'] + '\\n');
}).listen(process.env.PORT, '127.0.0.1')`;

describe('heddle run --intercept', { skip }, () => {
  test('an application reaches the mesh by its names, and everything else as before', async () => {
    await using stack = new AsyncDisposableStack();
    const { app, world } = stack.use(await createPair());
    const directory = stack.use(await temporaryDirectory());
    const store = join(directory.path, 'store');
    const http = [{ host: '0.0.0.0', port: 80 }];
    await listenIn(stack, world, { label: 'world', redirected: false, tcp: [], udp: [], http });
    const up = stack.use(await app.start([launcher, 'up', '--store', store]));
    await up.line(/dashboard|control plane/i);
    const service = ['run', '--store', store, '--service', 'reviews', '--port', '9080', '--'];
    const reviews = stack.use(await app.start([launcher, ...service, process.execPath, '-e', application]));
    await reviews.line(/is published as reviews\.default:9080/);
    const applied = await app.heddle('intercept', 'apply', '--capture-all-dns');
    assert.equal(applied.exit?.code, 0, applied.output);

    const urls = [
      'http://reviews:9080/',
      'http://reviews.default.svc.cluster.local:9080/',
      `http://${Address.service}/`,
    ];
    const list = urls.join(' ');
    const programs = [
      `curl --silent --show-error --max-time 10 --retry 3 ${list}`,
      `python3 '${file('client.py')}' ${list}`,
      `java '${file('Client.java')}' ${list}`,
    ];
    const flags = `run --store ${store} --service client --port 0 --intercept redirect --`.split(' ');
    const client = await app.run([launcher, ...flags, 'sh', '-ec', programs.join('\n')]);
    assert.equal(client.exit?.code, 0, client.output);
    const caller = /asked by .*URI=spiffe:\/\/cluster\.local\/ns\/default\/sa\/client$/;
    const lines = client.stdout.trim().split('\n');
    // Java asks twice, with each of its clients; all but curl print the status.
    assert.equal(lines.length, 3 + 3 + 6, client.output);
    const reviewsLines = lines.filter((line) => line.includes('reviews for'));
    assert.equal(reviewsLines.length, 2 + 2 + 4);
    for (const line of reviewsLines) {
      assert.match(line, /^(?:200 )?reviews for reviews(?:\.default\.svc\.cluster\.local)?:9080, /);
      assert.match(line, caller);
    }
    const foreign = `world ${Address.service} by a proxy from ${Address.app}`;
    assert.equal(lines.filter((line) => line.endsWith(foreign)).length, 1 + 1 + 2);
  });
});
