import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Field } from '../codec/field.ts';
import { FieldList } from '../codec/field-list.ts';
import {
  MessageError,
  checkRequest,
  checkResponse,
  checkTrailers,
  messageErrorDetail,
} from './message-rules.ts';

/** `:method=GET :path=/ x=y`; what is behind the first `=` is the value. */
function listOf(text: string): FieldList {
  const list = new FieldList();
  for (const word of text.split(' ').filter((one) => one !== '')) {
    const at = word.indexOf('=');
    list.add(new Field(word.slice(0, at), word.slice(at + 1)));
  }
  return list;
}

const errorNames = Object.fromEntries(Object.entries(MessageError).map(([name, number]) => [number, name]));

function request(text: string, allowsExtendedConnect = true): string {
  return errorNames[checkRequest(listOf(text), allowsExtendedConnect)]!;
}

const get = ':method=GET :scheme=http :path=/ :authority=a.example';

describe('requests', () => {
  for (const [text, error] of [
    [get, 'none'],
    [`${get} x=y te=trailers x=z cookie=a cookie=b`, 'none'],
    [':path=/ :authority=a :scheme=http :method=GET', 'none'],
    [':method=GET :scheme=http :path=/ host=a.example', 'none'],
    [`${get} host=a.example`, 'none'],
    [`${get} host=A.Example`, 'none'],
    [`${get} host=b.example`, 'twoAuthorities'],
    [`${get} host=a.example:80`, 'twoAuthorities'],
    [`${get} host=a.example host=a.example`, 'repeated'],
    [':method=GET :scheme=http :path=/ host=a host=b', 'repeated'],
    [':method=GET :scheme=http :path=/', 'incomplete'],
    [':method=GET :scheme=http :authority=a', 'incomplete'],
    [':method=GET :path=/ :authority=a', 'incomplete'],
    [':scheme=http :path=/ :authority=a', 'incomplete'],
    ['', 'incomplete'],
    ['x=y', 'incomplete'],
    [`${get} :path=/b`, 'repeated'],
    [`${get} :method=GET`, 'repeated'],
    [`${get} :authority=a.example`, 'repeated'],
    [':method=GET :scheme=http x=y :path=/ :authority=a', 'misplacedPseudoHeader'],
    [`${get} x=y :path=/`, 'misplacedPseudoHeader'],
    [`${get} :status=200`, 'misplacedPseudoHeader'],
    [`${get} :foo=bar`, 'badField'],
    [`${get} X=y`, 'badField'],
    [`${get} connection=close`, 'badField'],
    [`${get} transfer-encoding=chunked`, 'badField'],
    [`${get} te=gzip`, 'badField'],
    [`${get} content-length=0`, 'none'],
    [`${get} content-length=0 content-length=0`, 'repeated'],
    [`${get} content-length=0 content-length=1`, 'repeated'],
    [`${get} content-length=+0`, 'badField'],
    [':method=OPTIONS :scheme=http :path=* :authority=a', 'none'],
    [':method=GET :scheme=http :path=* :authority=a', 'incomplete'],
    [':method=CONNECT :authority=a.example:80', 'none'],
    [':method=CONNECT :authority=a.example', 'incomplete'],
    [':method=CONNECT', 'incomplete'],
    [':method=CONNECT host=a.example:80', 'incomplete'],
    [':method=CONNECT :authority=a.example:80 content-length=0', 'badField'],
    [':method=CONNECT :protocol=websocket :scheme=http :path=/ :authority=a content-length=5', 'badField'],
    [':method=CONNECT :authority=a.example:80 :path=/', 'incomplete'],
    [':method=CONNECT :authority=a.example:80 :scheme=http :path=/', 'incomplete'],
    [':method=CONNECT :protocol=websocket :scheme=http :path=/ :authority=a', 'none'],
    [':method=CONNECT :protocol=websocket :scheme=http :authority=a', 'incomplete'],
    [':method=CONNECT :protocol=websocket :path=/ :authority=a', 'incomplete'],
    [':method=CONNECT :protocol=websocket :scheme=http :path=/', 'incomplete'],
    [`${get} :protocol=websocket`, 'incomplete'],
  ] as const) {
    test(`${text || 'nothing'}: ${error}`, () => assert.equal(request(text), error));
  }

  test('extended CONNECT has to be announced', () => {
    const text = ':method=CONNECT :protocol=websocket :scheme=http :path=/ :authority=a';
    assert.equal(request(text, false), 'misplacedPseudoHeader');
    assert.equal(request(':method=CONNECT :authority=a:80', false), 'none');
  });
});

describe('responses', () => {
  for (const [text, error] of [
    [':status=200', 'none'],
    [':status=200 x=y set-cookie=a set-cookie=b', 'none'],
    [':status=100', 'none'],
    [':status=101', 'badField'],
    [':status=20', 'badField'],
    ['x=y', 'incomplete'],
    ['', 'incomplete'],
    [':status=200 :status=200', 'repeated'],
    ['x=y :status=200', 'misplacedPseudoHeader'],
    [':status=200 :path=/', 'misplacedPseudoHeader'],
    [':status=200 :method=GET', 'misplacedPseudoHeader'],
    [':status=200 connection=close', 'badField'],
    [':status=200 content-length=1 content-length=1', 'repeated'],
  ] as const) {
    test(`${text || 'nothing'}: ${error}`, () =>
      assert.equal(errorNames[checkResponse(listOf(text))], error));
  }
});

describe('trailers', () => {
  for (const [text, error] of [
    ['grpc-status=0 grpc-message=', 'none'],
    ['', 'none'],
    [':status=200', 'misplacedPseudoHeader'],
    ['grpc-status=0 :path=/', 'misplacedPseudoHeader'],
    ['connection=close', 'badField'],
    ['Grpc-Status=0', 'badField'],
  ] as const) {
    test(`${text || 'nothing'}: ${error}`, () =>
      assert.equal(errorNames[checkTrailers(listOf(text))], error));
  }
});

test("errors have Envoy's words", () => {
  assert.equal(messageErrorDetail(MessageError.badField), 'http2.invalid.header.field');
  assert.equal(messageErrorDetail(MessageError.repeated), 'http2.invalid.header.field');
  assert.equal(messageErrorDetail(MessageError.incomplete), 'http2.violation.of.messaging.rule');
});
