// curl, nghttp and h2load as clients, and Envoy as client and as server of the proxy.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findEnvoy, findProgram, runChild, skipWithout, temporaryDirectory } from '@heddle/testkit';
import { type Ports, serve, startEnvoy, startProxy } from './support/proxy.ts';

const curl = findProgram('curl');
const nghttp = findProgram('nghttp');
const h2load = findProgram('h2load');
const envoy = findEnvoy();
const body = randomBytes(3_000_001);
const hash = createHash('sha256').update(body).digest('hex');

/** `/large` answers with `body`, anything else with the hash of what it was sent and how it was asked. */
async function proxied(context: TestContext): Promise<Ports> {
  return startProxy(context, await server(context));
}

async function server(context: TestContext): ReturnType<typeof serve> {
  return serve(context, (request, response) => {
    if (request.url === '/large') {
      response.setHeader('content-length', body.length);
      response.end(body);
      return;
    }
    const digest = createHash('sha256');
    request.on('data', (part: Buffer) => digest.update(part));
    request.on('end', () => {
      response.setHeader('x-method', request.method!);
      response.end(digest.digest('hex'));
    });
  });
}

async function run(program: string, ...all: readonly string[]): Promise<string> {
  const { output, exit } = await runChild(program, { arguments: all }, 60_000);
  assert.equal(exit?.code, 0, output);
  return output;
}

test('curl', { skip: skipWithout({ curl }) }, async (context) => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'body');
  await writeFile(file, body);
  const ports = await proxied(context);
  for (const [how, url, options] of [
    ['without TLS', `http://127.0.0.1:${ports.cleartext}`, ['--http2-prior-knowledge']],
    ['with TLS', `https://127.0.0.1:${ports.tls}`, ['--insecure', '--http2']],
  ] as const) {
    await context.test(`${how}: bodies both ways`, async () => {
      const common = ['--silent', '--show-error', ...options];
      const sent = await run(curl!, ...common, '--include', '--data-binary', `@${file}`, `${url}/upload`);
      assert.match(sent, /^HTTP\/2 200/);
      assert.match(sent, /x-method: POST/);
      assert.ok(sent.endsWith(hash));
      const got = join(directory.path, 'got');
      const version = await run(
        curl!,
        ...common,
        '--output',
        got,
        '--write-out',
        '%{http_version} %{size_download}',
        `${url}/large`,
      );
      assert.equal(version, `2 ${body.length}`);
      assert.match(await run(curl!, ...common, '--head', `${url}/large`), /content-length: 3000001/);
    });
  }
});

test(
  'nghttp: several requests on one connection, a trailer, padding and settings of its own',
  { skip: skipWithout({ nghttp }) },
  async (context) => {
    const { cleartext } = await proxied(context);
    const url = `http://127.0.0.1:${cleartext}`;
    const output = await run(
      nghttp!,
      ...[
        '--null-out',
        '--verbose',
        '--padding=100',
        '--window-bits=10',
        '--header-table-size=100',
        '--trailer=x-sum: 1',
      ],
      ...[`${url}/a`, `${url}/b`, `${url}/large`],
    );
    assert.equal(output.match(/:status: 200/g)?.length, 3, output);
    assert.equal(output.match(/END_STREAM/g)!.length >= 3, true);
    assert.doesNotMatch(output, /RST_STREAM|error_code=(?!NO_ERROR)/);
  },
);

test('h2load: many requests at once', { skip: skipWithout({ h2load }) }, async (context) => {
  const ports = await proxied(context);
  for (const url of [`http://127.0.0.1:${ports.cleartext}/`, `https://127.0.0.1:${ports.tls}/`]) {
    const output = await run(h2load!, '-n', '3000', '-c', '5', '-m', '30', url);
    assert.match(output, /3000 succeeded, 0 failed, 0 errored, 0 timeout/);
    assert.match(output, /status codes: 3000 2xx/);
  }
});

test('Envoy on both sides of the proxy', { skip: skipWithout({ envoy, curl }) }, async (context) => {
  const behind = await startEnvoy(context, envoy!, await server(context));
  const { cleartext } = await startProxy(context, behind);
  const front = await startEnvoy(context, envoy!, { port: cleartext, protocol: 'HTTP/2' });
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'body');
  await writeFile(file, body);
  const url = `http://127.0.0.1:${front.port}`;
  const common = ['--silent', '--show-error', '--http2-prior-knowledge'];
  assert.equal(await run(curl!, ...common, '--data-binary', `@${file}`, `${url}/upload`), hash);
  const got = join(directory.path, 'got');
  assert.equal(
    await run(curl!, ...common, '--output', got, '--write-out', '%{size_download}', `${url}/large`),
    String(body.length),
  );
  if (h2load === null) return;
  assert.match(await run(h2load, '-n', '2000', '-c', '2', '-m', '20', `${url}/`), /2000 succeeded, 0 failed/);
});
