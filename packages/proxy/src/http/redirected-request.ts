// The request that a redirect makes of another one, where the proxy follows it itself.
import { ResponseKind } from '../codec/client-stream.ts';
import { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import { BodyKind, type RequestHeadView, type ResponseHeadView } from '../codec/message-view.ts';
import type { OutgoingRequest } from '../codec/outgoing-request.ts';
import { addRequest } from '../http2/outgoing-fields.ts';
import { isPseudoHeader } from '../http2/field-head.ts';
import { Http2RequestHead } from '../http2/request-head.ts';
import type { InternalRedirectPolicy, RedirectTarget } from '../routing/internal-redirect.ts';
import type { RequestView } from '../routing/request-view.ts';

const seeOther = 303;
const originalUrl = 'x-envoy-original-url';
/** What is written anew. */
const unwanted = new Set([originalUrl, 'x-envoy-expected-rq-timeout-ms']);

/** The next request: what went upstream, with another target. Its head owns its fields. */
export class RedirectedRequest implements RequestView {
  readonly head: Http2RequestHead;
  readonly scheme: string;
  /** The method has changed to one without a body. */
  readonly dropsBody: boolean;

  /** `sent` went over a connection of `protocol` for a URL of `scheme`; `response` redirects it. */
  constructor(
    sent: OutgoingRequest,
    protocol: RequestHeadView['protocol'],
    scheme: string,
    response: ResponseHeadView,
    target: RedirectTarget,
    policy: InternalRedirectPolicy,
  ) {
    const { method } = sent.head;
    // RFC 9110 §15.4.4.
    this.dropsBody = response.status === seeOther && method !== 'GET' && method !== 'HEAD';
    const was = new FieldList();
    addRequest(sent, ResponseKind.usual, was);
    const fields = FieldList.of(
      new Field(':method', this.dropsBody ? 'GET' : method),
      new Field(':scheme', target.scheme),
      new Field(':authority', target.authority),
      new Field(':path', target.path),
    );
    for (let i = 0; i < was.length; i++) {
      const field = was.fields[i]!;
      if (!isPseudoHeader(field) && !unwanted.has(field.name)) fields.add(field);
    }
    if (this.dropsBody) fields.remove('content-length');
    for (const name of policy.copiedFields) {
      const value = response.header(name);
      fields.remove(name);
      if (value !== null) fields.add(new Field(name, value));
    }
    fields.add(new Field(originalUrl, `${scheme}://${sent.authority}${sent.path}`));
    this.scheme = target.scheme;
    this.head = new Http2RequestHead();
    this.head.take(fields, sent.bodyKind !== BodyKind.none && !this.dropsBody);
    this.head.protocol = protocol;
  }

  get method(): string {
    return this.head.method;
  }

  get path(): string {
    return this.head.path;
  }

  get authority(): string {
    return this.head.authority;
  }

  header(lowerCaseName: string): string | null {
    return this.head.header(lowerCaseName);
  }

  headerValue(lowerCaseName: string, index: number): string | null {
    return this.head.headerValue(lowerCaseName, index);
  }
}
