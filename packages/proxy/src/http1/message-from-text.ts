// Test support: messages as a codec is given them, from what they look like on the wire.
import { ResponseKind } from '../codec/client-stream.ts';
import { FieldList } from '../codec/field-list.ts';
import { OutgoingRequest } from '../codec/outgoing-request.ts';
import { OutgoingResponse } from '../codec/outgoing-response.ts';
import { HeadScanner } from './head-scanner.ts';
import { RequestHead } from './request-head.ts';
import { ResponseHead } from './response-head.ts';

const rules = {
  acceptsHttp10: true,
  defaultHost: '',
  allowsAbsoluteTarget: true,
  allowsCustomMethods: true,
  allowsChunkedLength: false,
  endsConnectionOnError: true,
};
const everything = new Uint8Array(256);

function scanned(text: string, isRequest: boolean): [HeadScanner, Buffer] {
  const bytes = Buffer.from(text, 'latin1');
  const scanner = new HeadScanner(isRequest, bytes.length + 1, 1000);
  if (scanner.scan(bytes, 0, 0, bytes.length) !== bytes.length) throw new Error(`this is no head: ${text}`);
  return [scanner, bytes];
}

/** A request to be sent as it stands in `text`, empty line included. */
export function requestFromText(text: string): OutgoingRequest {
  const [scanner, bytes] = scanned(text, true);
  const head = new RequestHead();
  const error = head.parse(scanner, bytes, 0, bytes.length, rules);
  if (error !== 0) throw new Error(`this is no request (${error}): ${text}`);
  const request = new OutgoingRequest();
  request.head = head;
  request.path = head.path;
  request.authority = head.authority;
  request.filter = everything;
  request.added = new FieldList();
  request.bodyKind = head.bodyKind;
  return request;
}

/** A response to be sent as it stands in `text`, empty line included. */
export function responseFromText(text: string): OutgoingResponse {
  const [scanner, bytes] = scanned(text, false);
  const head = new ResponseHead();
  const error = head.parse(scanner, bytes, 0, bytes.length, ResponseKind.usual, false);
  if (error !== 0) throw new Error(`this is no response (${error}): ${text}`);
  const response = new OutgoingResponse();
  response.head = head;
  response.status = head.status;
  response.filter = everything;
  response.bodyKind = head.bodyKind;
  return response;
}
