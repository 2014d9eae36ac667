import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiClient } from './client.ts';

function clientThatGets(response: Response): ApiClient {
  return new ApiClient(() => Promise.resolve(response));
}

test('hands on what the control plane answers', async () => {
  const client = clientThatGets(Response.json({ services: [] }));
  assert.deepEqual(await client.get('/api/v1/services'), { ok: true, value: { services: [] } });
});

test('takes an answer without a body', async () => {
  const client = clientThatGets(new Response(null, { status: 204 }));
  assert.deepEqual(await client.post('/api/v1/login', { token: 'x' }), { ok: true, value: null });
});

test('tells a session that is over from a refusal, in the words of the control plane', async () => {
  const error = { code: 'HEDDLE_WRONG_TOKEN', message: 'The token is wrong.', hint: 'Look again.' };
  const unauthorized = await clientThatGets(Response.json({ error }, { status: 401 })).get('/');
  assert.deepEqual(unauthorized, { ok: false, failure: { kind: 'unauthorized', ...error } });
  const refused = await clientThatGets(Response.json({ error }, { status: 403 })).get('/');
  assert.deepEqual(refused, { ok: false, failure: { kind: 'refused', ...error } });
});

test('says the status where an error has no readable body', async () => {
  const answer = await clientThatGets(new Response('oops', { status: 502 })).get('/');
  assert.deepEqual(answer, {
    ok: false,
    failure: { kind: 'refused', code: '', message: 'The control plane answered with status 502.' },
  });
});

test('makes a failed connection, and an answer cut off, a value', async () => {
  const gone = new ApiClient(() => Promise.reject(new TypeError('Failed to fetch')));
  const answer = await gone.get('/');
  assert.equal(!answer.ok && answer.failure.kind, 'unreachable');
  const cut = await clientThatGets(new Response('{"servi')).get('/');
  assert.equal(!cut.ok && cut.failure.kind, 'unreachable');
});

test('sends what is posted as JSON, with the session', async () => {
  const sent: RequestInit[] = [];
  const client = new ApiClient((_url, options) => {
    sent.push(options);
    return Promise.resolve(new Response(null, { status: 204 }));
  });
  await client.post('/api/v1/login', { token: 'x' });
  assert.equal(sent[0]?.body, '{"token":"x"}');
  assert.equal(sent[0]?.credentials, 'same-origin');
  assert.equal(sent[0]?.method, 'POST');
});
