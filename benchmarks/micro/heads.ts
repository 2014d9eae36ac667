// Heads: finding their parts in bytes, taking them over, writing them for the next hop. Run: node benchmarks/micro/heads.ts
import { ResponseKind } from '../../packages/proxy/src/codec/client-stream.ts';
import { createFieldFilter } from '../../packages/proxy/src/codec/field-filter.ts';
import { FieldList } from '../../packages/proxy/src/codec/field-list.ts';
import { Field } from '../../packages/proxy/src/codec/field.ts';
import { OutgoingRequest } from '../../packages/proxy/src/codec/outgoing-request.ts';
import { OutgoingResponse } from '../../packages/proxy/src/codec/outgoing-response.ts';
import { FieldId } from '../../packages/proxy/src/codec/field-name.ts';
import { HeadScanner } from '../../packages/proxy/src/http1/head-scanner.ts';
import { requestText, responseText } from '../../packages/proxy/src/http1/head-writer.ts';
import { RequestHead } from '../../packages/proxy/src/http1/request-head.ts';
import { ResponseHead } from '../../packages/proxy/src/http1/response-head.ts';
import { bench, run } from './harness.ts';

const small = Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1:9105\r\n\r\n');
const browser = Buffer.from(
  'GET /productpage?u=normal HTTP/1.1\r\nHost: bookinfo.example.com\r\n' +
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)\r\n' +
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n' +
    'Accept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\nCookie: session=eyJ1c2VyIjoibm9ybWFsIn0\r\n' +
    'X-Request-Id: 3c8f8c7c-0d3f-4f8e-b6a1-2b0f1f7a1c11\r\n\r\n',
);
const answer = Buffer.from(
  'HTTP/1.1 200 OK\r\nserver: backend\r\ncontent-type: application/octet-stream\r\ncontent-length: 128\r\n\r\n',
);
const rules = {
  acceptsHttp10: false,
  defaultHost: '',
  allowsAbsoluteTarget: true,
  allowsCustomMethods: false,
  allowsChunkedLength: false,
  endsConnectionOnError: true,
};
const requests = new HeadScanner(true, 65_536, 100);
const responses = new HeadScanner(false, 65_536, 100);
const requestHead = new RequestHead();
const responseHead = new ResponseHead();
const filter = createFieldFilter([FieldId.forwardedClientCert]);
const outgoingRequest = new OutgoingRequest();
outgoingRequest.filter = filter;
outgoingRequest.added = FieldList.of(new Field('x-request-id', '3c8f8c7c-0d3f-4f8e-b6a1-2b0f1f7a1c11'));
const outgoingResponse = new OutgoingResponse();
outgoingResponse.filter = filter;
outgoingResponse.added.add(new Field('x-envoy-upstream-service-time', '1'));

function scan(scanner: HeadScanner, bytes: Buffer): number {
  scanner.reset();
  const end = scanner.scan(bytes, 0, 0, bytes.length);
  if (end !== bytes.length) throw new Error(`the scanner answers ${end}`);
  return end;
}

function parseRequest(bytes: Buffer): RequestHead {
  const error = requestHead.parse(requests, bytes, 0, scan(requests, bytes), rules);
  if (error !== 0) throw new Error(`the request is refused: ${error}`);
  return requestHead;
}

function parseResponse(): ResponseHead {
  const end = scan(responses, answer);
  const error = responseHead.parse(responses, answer, 0, end, ResponseKind.usual, false);
  if (error !== 0) throw new Error(`the response is refused: ${error}`);
  return responseHead;
}

bench('scan a small request', () => scan(requests, small));
bench("scan a browser's request", () => scan(requests, browser));
bench('scan a response', () => scan(responses, answer));
bench('scan and parse a small request', () => parseRequest(small));
bench("scan and parse a browser's request", () => parseRequest(browser));
bench('scan and parse a response', parseResponse);
bench('the same, and write the request on', () => {
  const head = parseRequest(browser);
  outgoingRequest.head = head;
  outgoingRequest.path = head.path;
  outgoingRequest.authority = head.authority;
  return requestText(outgoingRequest);
});
bench('the same, and write the response on', () => {
  outgoingResponse.head = parseResponse();
  return responseText(outgoingResponse, 'HTTP/1.1', false, '');
});

await run();
