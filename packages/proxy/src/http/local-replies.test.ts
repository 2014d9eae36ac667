// What `local_reply_config` makes of the proxy's own answers.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpConnectionManager } from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { compileLocalReplies } from '../config/compile-local-replies.ts';
import { ProblemList } from '../config/problem-list.ts';
import { get, hello, startChain } from './chain-under-test.ts';
import { toBackend } from './proxy-under-test.ts';

type Config = NonNullable<Parameters<typeof HttpConnectionManager.fromPartial>[0]['localReplyConfig']>;

function compile(config: Config) {
  const problems = new ProblemList();
  const message = HttpConnectionManager.fromPartial({ localReplyConfig: config }).localReplyConfig;
  return { rules: compileLocalReplies(message, 'replies', problems), problems: problems.problems };
}

const text = (format: string) => ({
  format: {
    $case: 'textFormatSource' as const,
    value: { specifier: { $case: 'inlineString' as const, value: format } },
  },
});
const words = (body: string) => ({ specifier: { $case: 'inlineString' as const, value: body } });
const at = (value: number) => ({
  filterSpecifier: {
    $case: 'statusCodeFilter' as const,
    value: { comparison: { op: 0 as const, value: { defaultValue: value, runtimeKey: 'none' } } },
  },
});

/** What a client without a route gets. */
async function answerWith(
  t: { after(fn: () => unknown): void },
  config: Config,
  request = get,
): Promise<string> {
  const { rules, problems } = compile(config);
  assert.deepEqual(problems, []);
  const { client } = await startChain(t, () => hello, {
    localReplies: rules!,
    routes: [toBackend({}, { pathSpecifier: { $case: 'prefix', value: '/there' } })],
  });
  client.write(request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  return client.untilEnd();
}

const endOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);

describe('an answer of the proxy itself', () => {
  for (const status of [204, 304])
    test(`has no body where ${status} says that none follows`, async (t) => {
      const answer = await answerWith(t, {
        mappers: [{ filter: at(404), statusCode: status, body: words('none of its own') }],
      });
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} [^]*\\r\\n\\r\\n$`));
      assert.doesNotMatch(answer, /content-length/);
    });

  test('is written in the format of all answers', async (t) => {
    const answer = await answerWith(t, {
      bodyFormat: {
        ...text('%RESPONSE_CODE% %RESPONSE_FLAGS% %REQ(x-none)% "%LOCAL_REPLY_BODY%"'),
        contentType: 'text/x',
      },
    });
    assert.equal(endOf(answer), '404 NR - "no route for this host and path"');
    assert.match(answer, /^HTTP\/1\.1 404 [^]*content-type: text\/x\r\n/);
    assert.match(answer, /content-length: 42\r\n/);
  });

  test('is written as JSON', async (t) => {
    const answer = await answerWith(t, {
      bodyFormat: {
        format: { $case: 'jsonFormat', value: { why: '%LOCAL_REPLY_BODY%', code: '%RESPONSE_CODE%' } },
      },
    });
    assert.deepEqual(JSON.parse(endOf(answer)), { why: 'no route for this host and path', code: 404 });
    assert.match(answer, /content-type: application\/json\r\n/);
  });

  test('is changed by the first mapper whose filter lets it pass', async (t) => {
    const header = (key: string, value: string) => ({ header: { key, value } });
    const answer = await answerWith(t, {
      mappers: [
        { filter: at(503), statusCode: 500 },
        {
          filter: at(404),
          statusCode: 410,
          body: words('gone'),
          headersToAdd: [header('x-was', '%RESPONSE_CODE%')],
        },
        { filter: at(404), statusCode: 500 },
      ],
    });
    assert.match(answer, /^HTTP\/1\.1 410 Gone\r\n[^]*x-was: 404\r\n/);
    assert.equal(endOf(answer), 'gone');
  });

  test('may lose its body', async (t) => {
    const answer = await answerWith(t, { mappers: [{ filter: at(404), body: words('') }] });
    assert.match(answer, /content-length: 0\r\n/);
    assert.doesNotMatch(answer, /content-type/);
    assert.equal(endOf(answer), '');
  });

  test('tells a gRPC client the words without the end of their line', async (t) => {
    const request = get.replace('Host', 'Content-Type: application/grpc\r\nHost');
    const answer = await answerWith(t, { bodyFormat: text('it was %LOCAL_REPLY_BODY%\n') }, request);
    assert.match(answer, /grpc-message: it was no route for this host and path\r\n/);
  });

  test('of an upstream is none', async (t) => {
    const answer = await answerWith(t, { bodyFormat: text('x') }, get.replace('/a', '/there'));
    assert.equal(endOf(answer), 'hello');
  });
});

test('a configuration that can not be followed is refused at its place', () => {
  const paths = (config: Config) => compile(config).problems.map(({ path }) => path);
  assert.deepEqual(paths({ mappers: [{ statusCode: 700 }] }), [
    'replies.mappers[0].filter',
    'replies.mappers[0].status_code',
  ]);
  assert.deepEqual(paths({ bodyFormat: {} }), ['replies.body_format']);
  assert.deepEqual(paths({ bodyFormat: text('%NOPE%') }), ['replies.body_format.text_format_source']);
  assert.deepEqual(
    paths({ mappers: [{ filter: at(404), body: { specifier: { $case: 'filename', value: '/x' } } }] }),
    ['replies.mappers[0].body'],
  );
});
