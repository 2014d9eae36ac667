// Where the two proxies differ on purpose, with the reason; everything else must be the same. A difference that has gone
// fails as well: it has to leave this file.
import type { Observation, SeenMessage } from './support/case.ts';

/** One case in which they differ. */
export interface Difference {
  /** Name of the case. */
  readonly name: string;
  readonly reason: string;
  /** What only ours shows, as `observationLines` writes it. */
  readonly ours: readonly string[];
  /** What only Envoy shows. */
  readonly theirs: readonly string[];
}

/** What most differences are made of: ours refuses what Envoy passes on. */
const refused = [
  'response 1 HTTP/1.1 400 Bad Request',
  'response 1 field connection: close',
  'connection closed',
];
const answeredByUpstream = [
  'response 1 HTTP/1.1 200 OK',
  'response 1 field content-length: 5',
  'response 1 field x-envoy-upstream-service-time: <ms>',
  'response 1 field x-upstream: yes',
  'response 1 framed by length, body "hello"',
];
const plainRequest = [
  'request 1 GET / HTTP/1.1',
  'request 1 field host: a',
  'request 1 field x-envoy-expected-rq-timeout-ms: <rest>',
  'request 1 field x-forwarded-proto: http',
  'request 1 field x-request-id: <id>',
];

export const differences: readonly Difference[] = [
  {
    name: 'HTTP/2 client: a direct response of 204 with a body',
    reason:
      'Envoy sends a length with a 204 and cuts the stream off; ours answers without the body, which a 204 never has (RFC 9110 §15.3.5)',
    ours: ['response 1 HTTP/2 204', 'response 1 field server: envoy'],
    theirs: ['response 1 HTTP/2 without a head, cut off'],
  },
  {
    name: 'HTTP/2 client: a direct response of 304 with a body',
    reason:
      'Envoy sends the body of a 304, which its client takes for an error of the connection; ours leaves it out (RFC 9110 §15.4.5)',
    ours: ['response 1 HTTP/2 304', 'connection open'],
    theirs: ['response 1 HTTP/2 304, cut off', 'connection closed'],
  },
  {
    name: 'rbac-server-name: a.example',
    reason:
      'Envoy knows the server name only where a tls_inspector has looked for it, and lets a policy that asks for it pass over everybody elsewhere; ours takes it from the TLS handshake',
    ours: [
      ...answeredByUpstream,
      ...plainRequest.map((line) => line.replace('proto: http', 'proto: https')),
      'http.in.downstream_rq_4xx +0',
      'http.in.rq_total +1',
      'http.in.rbac.allowed +1',
      'http.in.rbac.denied +0',
      'cluster.be.upstream_rq_total +1',
    ],
    theirs: [
      'response 1 HTTP/1.1 403 Forbidden',
      'http.in.downstream_rq_4xx +1',
      'http.in.rq_total +0',
      'http.in.rbac.allowed +0',
      'http.in.rbac.denied +1',
      'cluster.be.upstream_rq_total +0',
    ],
  },
  {
    name: 'a method of its own',
    reason:
      'Envoy gives a request without a body a length of 0 unless its method is one of five; ours leaves the framing as it came',
    ours: [],
    theirs: ['request 1 field content-length: 0', 'request 1 framed by length, body ""'],
  },
  {
    name: 'two spaces before the target',
    reason: 'RFC 9112 §3: exactly one space; recipients that forgive more have been used to smuggle requests',
    ours: [
      ...refused,
      'http.in.downstream_rq_2xx +0',
      'cluster.be.upstream_rq_total +0',
      'cluster.be.upstream_rq_2xx +0',
    ],
    theirs: [
      ...answeredByUpstream,
      'connection open',
      ...plainRequest,
      'http.in.downstream_rq_2xx +1',
      'cluster.be.upstream_rq_total +1',
      'cluster.be.upstream_rq_2xx +1',
    ],
  },
  {
    name: 'a tab before the target',
    reason: 'RFC 9112 §3: exactly one space; recipients that forgive more have been used to smuggle requests',
    ours: [
      ...refused,
      'http.in.downstream_rq_2xx +0',
      'cluster.be.upstream_rq_total +0',
      'cluster.be.upstream_rq_2xx +0',
    ],
    theirs: [
      ...answeredByUpstream,
      'connection open',
      ...plainRequest,
      'http.in.downstream_rq_2xx +1',
      'cluster.be.upstream_rq_total +1',
      'cluster.be.upstream_rq_2xx +1',
    ],
  },
  {
    name: 'two spaces before the version',
    reason: 'RFC 9112 §3: exactly one space; recipients that forgive more have been used to smuggle requests',
    ours: [
      ...refused,
      'http.in.downstream_rq_2xx +0',
      'cluster.be.upstream_rq_total +0',
      'cluster.be.upstream_rq_2xx +0',
    ],
    theirs: [
      ...answeredByUpstream,
      'connection open',
      ...plainRequest,
      'http.in.downstream_rq_2xx +1',
      'cluster.be.upstream_rq_total +1',
      'cluster.be.upstream_rq_2xx +1',
    ],
  },
  {
    name: 'HTTP/1.2',
    reason:
      'RFC 9110 §15.6.6: a version that is not served is answered with 505; Envoy takes all of them for HTTP/1.0',
    ours: ['response 1 HTTP/1.1 505 HTTP Version Not Supported'],
    theirs: ['response 1 HTTP/1.1 426 Upgrade Required'],
  },
  {
    name: 'HTTP/2.0 in a request line',
    reason:
      'RFC 9110 §15.6.6: a version that is not served is answered with 505; Envoy takes all of them for HTTP/1.0',
    ours: ['response 1 HTTP/1.1 505 HTTP Version Not Supported'],
    theirs: ['response 1 HTTP/1.1 426 Upgrade Required'],
  },
  {
    name: 'no version',
    reason: 'a request line without a version is malformed; Envoy takes it for HTTP/1.0',
    ours: ['response 1 HTTP/1.1 400 Bad Request'],
    theirs: ['response 1 HTTP/1.1 426 Upgrade Required'],
  },
  {
    name: 'an absolute target with a query and no path',
    reason:
      'RFC 9112 §3.2.1: an empty path in an absolute target is /; Envoy takes the query for the path and finds no route',
    ours: [
      ...answeredByUpstream,
      'request 1 GET /?x=y HTTP/1.1',
      'request 1 field host: other.example',
      'request 1 field x-envoy-expected-rq-timeout-ms: <rest>',
      'request 1 field x-forwarded-proto: http',
      'request 1 field x-request-id: <id>',
      'http.in.downstream_rq_4xx +0',
      'http.in.downstream_rq_non_relative_path +0',
    ],
    theirs: [
      'response 1 HTTP/1.1 404 Not Found',
      'http.in.downstream_rq_4xx +1',
      'http.in.downstream_rq_non_relative_path +1',
    ],
  },
  {
    name: 'an absolute target with userinfo',
    reason: 'RFC 9110 §4.2.4: userinfo in a target is to be treated as an error; Envoy drops it',
    ours: [
      ...refused,
      'http.in.downstream_rq_2xx +0',
      'cluster.be.upstream_rq_total +0',
      'cluster.be.upstream_rq_2xx +0',
    ],
    theirs: [
      ...answeredByUpstream,
      'connection open',
      'request 1 GET /x HTTP/1.1',
      'request 1 field host: other.example',
      'request 1 field x-envoy-expected-rq-timeout-ms: <rest>',
      'request 1 field x-forwarded-proto: http',
      'request 1 field x-request-id: <id>',
      'http.in.downstream_rq_2xx +1',
      'cluster.be.upstream_rq_total +1',
      'cluster.be.upstream_rq_2xx +1',
    ],
  },
  {
    name: 'a line ended by LF alone',
    reason: 'the engine’s rule 7: a proxy that forgives a bare LF lets others see another line than it did',
    ours: ['response 1 HTTP/1.1 400 Bad Request', 'response 1 field connection: close', 'connection closed'],
    theirs: [...answeredByUpstream, 'connection open', ...plainRequest, 'request 1 field x: y'],
  },
  {
    name: 'CR inside a value',
    reason: 'RFC 9112 §2.2: a bare CR makes the message invalid; Envoy takes it out',
    ours: [
      ...refused,
      'http.in.downstream_rq_2xx +0',
      'cluster.be.upstream_rq_total +0',
      'cluster.be.upstream_rq_2xx +0',
    ],
    theirs: [
      ...answeredByUpstream,
      'connection open',
      ...plainRequest,
      'request 1 field x: yz',
      'http.in.downstream_rq_2xx +1',
      'cluster.be.upstream_rq_total +1',
      'cluster.be.upstream_rq_2xx +1',
    ],
  },
  {
    name: 'a folded line',
    reason: 'RFC 9112 §5.2 lets a server refuse it; parsers behind a proxy disagree about it',
    ours: ['response 1 HTTP/1.1 400 Bad Request', 'response 1 field connection: close', 'connection closed'],
    theirs: [...answeredByUpstream, 'connection open', ...plainRequest, 'request 1 field x: y z'],
  },
  {
    name: 'two Hosts',
    reason: 'RFC 9112 §3.2: more than one Host is answered with 400; Envoy joins them with a comma',
    ours: [
      ...refused,
      'http.in.downstream_rq_2xx +0',
      'cluster.be.upstream_rq_total +0',
      'cluster.be.upstream_rq_2xx +0',
    ],
    theirs: [
      ...answeredByUpstream,
      'connection open',
      'request 1 GET / HTTP/1.1',
      'request 1 field host: a,b',
      'request 1 field x-envoy-expected-rq-timeout-ms: <rest>',
      'request 1 field x-forwarded-proto: http',
      'request 1 field x-request-id: <id>',
      'http.in.downstream_rq_2xx +1',
      'cluster.be.upstream_rq_total +1',
      'cluster.be.upstream_rq_2xx +1',
    ],
  },
  {
    name: 'the same Host twice',
    reason: 'RFC 9112 §3.2: more than one Host is answered with 400; Envoy joins them with a comma',
    ours: [
      ...refused,
      'http.in.downstream_rq_2xx +0',
      'cluster.be.upstream_rq_total +0',
      'cluster.be.upstream_rq_2xx +0',
    ],
    theirs: [
      ...answeredByUpstream,
      'connection open',
      'request 1 GET / HTTP/1.1',
      'request 1 field host: a,a',
      'request 1 field x-envoy-expected-rq-timeout-ms: <rest>',
      'request 1 field x-forwarded-proto: http',
      'request 1 field x-request-id: <id>',
      'http.in.downstream_rq_2xx +1',
      'cluster.be.upstream_rq_total +1',
      'cluster.be.upstream_rq_2xx +1',
    ],
  },
  {
    name: 'a Host with userinfo',
    reason: 'RFC 9112 §3.2: a Host with an invalid value is answered with 400',
    ours: [
      ...refused,
      'http.in.downstream_rq_2xx +0',
      'cluster.be.upstream_rq_total +0',
      'cluster.be.upstream_rq_2xx +0',
    ],
    theirs: [
      ...answeredByUpstream,
      'connection open',
      'request 1 GET / HTTP/1.1',
      'request 1 field host: u@a',
      'request 1 field x-envoy-expected-rq-timeout-ms: <rest>',
      'request 1 field x-forwarded-proto: http',
      'request 1 field x-request-id: <id>',
      'http.in.downstream_rq_2xx +1',
      'cluster.be.upstream_rq_total +1',
      'cluster.be.upstream_rq_2xx +1',
    ],
  },
  {
    name: 'Proxy-Authorization',
    reason: 'RFC 9110 §11.7.2: it is meant for the first proxy that asks for it, here this one',
    ours: [],
    theirs: ['request 1 field proxy-authorization: basic x'],
  },
  {
    name: 'an unknown expectation',
    reason: 'RFC 9110 §10.1.1: an expectation that cannot be met is answered with 417; Envoy passes it on',
    ours: [
      'response 1 HTTP/1.1 417 Expectation Failed',
      'response 1 field connection: close',
      'connection closed',
    ],
    theirs: [
      ...answeredByUpstream,
      'connection open',
      'request 1 GET / HTTP/1.1',
      'request 1 field expect: 200-maybe',
      'request 1 field host: a',
      'request 1 field x-envoy-expected-rq-timeout-ms: <rest>',
      'request 1 field x-forwarded-proto: http',
      'request 1 field x-request-id: <id>',
    ],
  },
  {
    name: 'response: Connection and Keep-Alive are left out',
    reason: 'RFC 9110 §7.6.1: fields that Connection names concern one hop in responses too',
    ours: [],
    theirs: ['response 1 field x-hop: 1'],
  },
  {
    name: 'a chunk that is longer than it says',
    reason: 'RFC 9112 §7.1: CRLF follows the data of a chunk; Envoy takes up to two other bytes for it',
    ours: [
      ...refused,
      'http.in.downstream_rq_2xx +0',
      'cluster.be.upstream_rq_total +0',
      'cluster.be.upstream_rq_2xx +0',
    ],
    theirs: [
      ...answeredByUpstream,
      'connection open',
      'request 1 POST / HTTP/1.1',
      'request 1 field host: a',
      'request 1 field transfer-encoding: chunked',
      'request 1 field x-envoy-expected-rq-timeout-ms: <rest>',
      'request 1 field x-forwarded-proto: http',
      'request 1 field x-request-id: <id>',
      'request 1 framed by chunked, body "bod"',
      'http.in.downstream_rq_2xx +1',
      'cluster.be.upstream_rq_total +1',
      'cluster.be.upstream_rq_2xx +1',
    ],
  },
  {
    name: 'a folded line in a response',
    reason: 'RFC 9112 §5.2: a proxy may discard a folded response; recipients disagree about it',
    ours: ['response 1 HTTP/1.1 502 Bad Gateway'],
    theirs: [
      'response 1 HTTP/1.1 200 OK',
      'response 1 field content-length: 5',
      'response 1 field x-envoy-upstream-service-time: <ms>',
      'response 1 field x-upstream: yes',
      'response 1 field x: y z',
      'response 1 framed by length, body "hello"',
    ],
  },
  {
    name: 'a status without a reason',
    reason:
      'the status line goes on as it came but for the space that RFC 9112 §4 asks for; Envoy writes its own reason',
    ours: ['response 1 HTTP/1.1 200'],
    theirs: ['response 1 HTTP/1.1 200 OK'],
  },
  {
    name: '101 that nobody asked for',
    reason: 'the engine’s rule 31: a switch of protocols that nobody asked for is no answer to the request',
    ours: ['response 1 HTTP/1.1 502 Bad Gateway'],
    theirs: [
      'response 1 HTTP/1.1 101 Switching Protocols',
      'response 1 field x-envoy-upstream-service-time: <ms>',
    ],
  },
  {
    name: 'a reason phrase of its own',
    reason: 'the reason goes on as it came; Envoy writes its own',
    ours: ['response 1 HTTP/1.1 299 All Fine Here'],
    theirs: ['response 1 HTTP/1.1 299 Unknown'],
  },
  {
    name: 'HTTP/1.0 where it is not accepted',
    reason: 'RFC 9110 §15.5.22: a 426 names in Upgrade what is asked for',
    ours: ['response 1 field upgrade: HTTP/1.1'],
    theirs: [],
  },
  {
    name: 'chunked with HTTP/1.0',
    reason: 'RFC 9112 §6.1: Transfer-Encoding with HTTP/1.0 is faulty framing',
    ours: [
      'response 1 HTTP/1.1 501 Not Implemented',
      'http.in.downstream_rq_2xx +0',
      'cluster.be.upstream_rq_total +0',
      'cluster.be.upstream_rq_2xx +0',
    ],
    theirs: [
      'response 1 HTTP/1.0 200 OK',
      'response 1 field content-length: 5',
      'response 1 field x-envoy-upstream-service-time: <ms>',
      'response 1 field x-upstream: yes',
      'response 1 framed by length, body "hello"',
      'request 1 POST / HTTP/1.1',
      'request 1 field host: a',
      'request 1 field transfer-encoding: chunked',
      'request 1 field x-envoy-expected-rq-timeout-ms: <rest>',
      'request 1 field x-forwarded-proto: http',
      'request 1 field x-request-id: <id>',
      'request 1 framed by chunked, body ""',
      'http.in.downstream_rq_2xx +1',
      'cluster.be.upstream_rq_total +1',
      'cluster.be.upstream_rq_2xx +1',
    ],
  },
  {
    name: 'of a length and chunks the chunks hold',
    reason:
      'RFC 9112 §6.1: the connection ends behind such a request, since whoever framed it by the length sees another end',
    ours: ['response 1 field connection: close', 'connection closed'],
    theirs: ['connection open'],
  },
  {
    name: 'HTTP/2 client: a method of its own',
    reason:
      'Envoy gives a request without a body a length of 0 unless its method is one of five; ours leaves the framing as it came',
    ours: [],
    theirs: ['request 1 field content-length: 0', 'request 1 framed by length, body ""'],
  },
  {
    name: 'HTTP/2 client: bytes above 127 in the path',
    reason: 'RFC 3986 §2: a URI is ASCII; what is none over HTTP/1.1 is none here',
    ours: [
      'response 1 HTTP/2 without a head, cut off',
      'connection closed',
      'cluster.be.upstream_rq_total +0',
    ],
    theirs: [
      'response 1 HTTP/2 200',
      'response 1 field content-length: 5',
      'response 1 field server: envoy',
      'response 1 field x-envoy-upstream-service-time: <ms>',
      'response 1 field x-upstream: yes',
      'response 1 framed by stream, body "hello"',
      'connection open',
      'request 1 GET /ä HTTP/1.1',
      'request 1 field host: a',
      'request 1 field x-envoy-expected-rq-timeout-ms: <rest>',
      'request 1 field x-forwarded-proto: http',
      'request 1 field x-request-id: <id>',
      'cluster.be.upstream_rq_total +1',
    ],
  },
  {
    name: 'HTTP/2 upstream: an interim response',
    reason: 'Envoy knows no reason phrase for 103',
    ours: ['response 1 HTTP/1.1 103 Early Hints'],
    theirs: ['response 1 HTTP/1.1 103 Unknown'],
  },
  {
    name: 'HTTP/2 upstream: a stream that is refused every time',
    reason:
      'RFC 9113 §8.7: a refused stream has not been processed; ours tries once more, whatever the route says, since a server that shuts down refuses what was on its way',
    ours: plainRequest.flatMap((line) => {
      if (line.includes('host:')) return [];
      const again = line.replace('request 1', 'request 2');
      if (!line.includes('GET')) return [again];
      return ['request 2 GET / HTTP/2', 'request 2 field :authority: a', 'request 2 field :scheme: http'];
    }),
    theirs: [],
  },
  {
    name: 'gRPC-Web: base64 in two pieces with padding',
    reason:
      'gRPC-Web lets a body be several pieces of base64, each with padding of its own, as its answers are; Envoy refuses them where they come together',
    ours: [
      'response 1 HTTP/1.1 200 OK',
      'response 1 field content-type: application/grpc-web+proto',
      'response 1 field transfer-encoding: chunked',
      'response 1 field x-envoy-upstream-service-time: <ms>',
      'response 1 field x-upstream: yes',
      'response 1 framed by chunked, body "\\u0000\\u0000\\u0000\\u0000\\u0005world\u0080\\u0000\\u0000\\u0000-grpc-status:0\\r\\ngrpc-message:fine\\r\\nx-other:1\\r\\n"',
      'connection open',
      'request 1 POST /a.B/C HTTP/2',
      'request 1 field :authority: a',
      'request 1 field :scheme: http',
      'request 1 field content-type: application/grpc',
      'request 1 field grpc-accept-encoding: identity',
      'request 1 field te: trailers',
      'request 1 field x-envoy-expected-rq-timeout-ms: <rest>',
      'request 1 field x-forwarded-proto: http',
      'request 1 field x-request-id: <id>',
      'request 1 framed by stream, body "\\u0000\\u0000\\u0000\\u0000\\u0003one\\u0000\\u0000\\u0000\\u0000\\u0005hello"',
      'log all: POST /a.B/C 200 - via_upstream',
      'http.in.downstream_rq_4xx +0',
    ],
    theirs: [
      'response 1 HTTP/1.1 400 Bad Request',
      'response 1 field connection: close',
      'response 1 field grpc-status: 13',
      'connection closed',
      'log all: POST /a.B/C 400 - grpc_base_64_decode_failed',
      'http.in.downstream_rq_4xx +1',
    ],
  },
  {
    name: 'gRPC-Web: no base64',
    reason: 'Envoy closes though the request has come whole: it answers before it has taken note of that',
    ours: ['connection open'],
    theirs: ['response 1 field connection: close', 'connection closed'],
  },
  {
    name: 'gRPC-Web: base64 that is cut off',
    reason: 'Envoy closes though the request has come whole: it answers before it has taken note of that',
    ours: ['connection open'],
    theirs: ['response 1 field connection: close', 'connection closed'],
  },
  {
    name: 'gRPC over HTTP/1.1: an empty bare message',
    reason: 'Envoy frames no empty message, and a server of gRPC then misses it',
    ours: ['request 1 framed by stream, body "\\u0000\\u0000\\u0000\\u0000\\u0000"'],
    theirs: [],
  },
];

/**
 * What differs in every case alike. Replies of a proxy's own: ours say in their body what is wrong and what to do (design
 * D6), Envoy's say less or nothing; status and the other fields are the same.
 */
export function withoutOwnWords(observation: Observation): Observation {
  return { ...observation, responses: observation.responses.map(withoutOwnBody) };
}

function withoutOwnBody(message: SeenMessage): SeenMessage {
  if (message.fields.includes('x-upstream: yes') || message.line.includes(' 1')) return message;
  // gRPC's clients read it there.
  const others = message.fields.filter((field) => !field.startsWith('grpc-message: '));
  if (/ 200(?: |$)/.test(message.line)) return { ...message, fields: others };
  const fields = others.filter((field) => !/^(?:content-length|content-type): /.test(field));
  return { ...message, fields, framing: 'none', body: '' };
}
