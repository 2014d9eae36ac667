// Attacks that have hit proxies, by class: where each is tested, and the cases that no rule has.
import { type WireCase, chunked, get, post } from './case.ts';

/** Tests of a class that stand elsewhere. */
export interface OtherTests {
  /** From the root of the repository. */
  readonly file: string;
  /** A part of the test's name as the file has it. */
  readonly names: readonly string[];
}

export interface AttackClass {
  readonly number: number;
  readonly name: string;
  /** Rules whose cases are such attacks: all that `requests.ts` and `responses.ts` have of them. */
  readonly rules: readonly number[];
  readonly cases: readonly WireCase[];
  readonly elsewhere: readonly OtherTests[];
}

const second = get('GET /second');
const proxySource = 'packages/proxy/src/';

/** Ways to write a coding that one recipient takes for chunked and another does not. */
const disguisedCodings = [
  ...['\u000bchunked', '\u000cchunked', '\0chunked', 'chunked\u000b', 'chunked\0', 'ch\u00fcnked'],
  ...[
    'chun ked',
    'chunked chunked',
    'chunked;x',
    'x chunked',
    '\u00a0chunked',
    "'chunked'",
    'chunk',
    'chunked\r',
  ],
  ...[
    'identity, chunked',
    'chunked, identity',
    'chunked,chunked',
    'cow, chunked',
    '\nchunked',
    '\r\n chunked',
  ],
];

const disguisedNames = [
  ...[
    'Transfer-Encoding ',
    'Transfer-Encoding\t',
    'Transfer-Encoding\u000b',
    'Transfer-Encoding\0',
    '\u000bTransfer-Encoding',
  ],
  ...[
    'Transfer Encoding',
    ':Transfer-Encoding',
    'Transfer-Encoding\u00a0',
    'Transfer-\r\nEncoding',
    'Transfer-Encoding\r',
  ],
];

const coding: readonly WireCase[] = [
  ...disguisedCodings.map((value) => ({
    rule: 'class 13',
    name: `the coding ${JSON.stringify(value)} beside a length`,
    request: post(`Content-Length: 5\r\nTransfer-Encoding: ${value}\r\n`, '0\r\n\r\n') + second,
    // A value may have no control characters; any other is a coding that we don't know.
    // eslint-disable-next-line no-control-regex -- that is what is looked for.
    refusedWith: /[\0-\u001f]/.test(value) ? 400 : 501,
  })),
  ...disguisedNames.map((name) => ({
    rule: 'class 13',
    name: `the name ${JSON.stringify(name)} beside a length`,
    request: post(`Content-Length: 5\r\n${name}: chunked\r\n`, '0\r\n\r\n') + second,
    refusedWith: 400,
  })),
  {
    rule: 'class 13',
    name: 'a name with an underscore is no framing, and what follows the length is the next request',
    request: post('Content-Length: 5\r\nTransfer_Encoding: chunked\r\n', '0\r\n\r\n') + second,
    targets: ['/', '/second'],
  },
];

const desynchronised: readonly WireCase[] = [
  ...['100-continue, 100-continue', '100-continu', 'x', '100-continue\t x'].map((value) => ({
    rule: 'class 15',
    name: `the expectation ${JSON.stringify(value)}`,
    request: post(`Expect: ${value}\r\nContent-Length: 4\r\n`, 'body') + second,
    refusedWith: 417,
  })),
  {
    rule: 'class 15',
    name: 'an expectation without a body, and a request behind it',
    request: get('GET /', 'Expect: 100-continue\r\n') + second,
    targets: ['/', '/second'],
    keepsBack: ['\r\nexpect:'],
  },
  {
    rule: 'class 15',
    name: 'a GET whose body looks like a request',
    request: get('GET /', `Content-Length: ${second.length}\r\n`, second),
    targets: ['/'],
  },
  {
    rule: 'class 15',
    name: 'an answer before the body of a GET has come',
    request: get('GET /', 'Content-Length: 100\r\n', 'GET /inner HTTP/1.1\r\n'),
    targets: [],
    response: 'HTTP/1.1 200 OK\r\nx-upstream: yes\r\ncontent-length: 2\r\n\r\nok',
    passesOn: ['connection: close\r\n'],
    dropsUpstream: true,
  },
];

const chunks: readonly WireCase[] = [
  {
    rule: 'class 16',
    name: 'chunks of one byte with a large extension each',
    request: chunked(`${`1;${'x'.repeat(100)}\r\nb\r\n`.repeat(200)}0\r\n\r\n`) + second,
    refusedWith: 400,
  },
  {
    rule: 'class 16',
    name: 'an extension of a megabyte',
    request: chunked(`4;${'x'.repeat(1_000_000)}`),
    refusedWith: 400,
  },
  ...[
    '0\r\n\rX',
    '0\r\n\n',
    '0\n\r\n',
    '0\r\r\n',
    '00000000000000000000000000000000004\r\nbody\r\n0\r\n\r\n',
  ].map((body) => ({
    rule: 'class 16',
    name: `the end ${JSON.stringify(body)}`,
    request: chunked(body) + second,
    refusedWith: 400,
  })),
];

const trailers: readonly WireCase[] = [
  'Transfer-Encoding: chunked',
  'Host: b',
  'Authorization: x',
  'Cookie: x',
].map((trailer) => ({
  rule: 'class 17',
  name: `${trailer} in the trailers`,
  request: chunked(`4\r\nbody\r\n0\r\n${trailer}\r\n\r\n`),
  passesOn: ['body\r\n0\r\n\r\n'],
  keepsBack: [`\r\n${trailer}\r\n\r\n`],
}));

const targets: readonly WireCase[] = [
  {
    rule: 'class 19',
    name: 'a target of a megabyte',
    request: get(`GET /${'x'.repeat(1_000_000)}`),
    refusedWith: 431,
  },
  { rule: 'class 19', name: 'HTTP/0.9', request: 'GET /\r\n', refusedWith: 400 },
];

const upgrades: readonly WireCase[] = [
  {
    rule: 'class 22',
    name: 'an offer of h2c is not passed on',
    request: get(
      'GET /',
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n',
    ),
    keepsBack: ['h2c', 'http2-settings'],
  },
];

const responses: readonly WireCase[] = [
  {
    rule: 'class 24',
    name: 'a field of a megabyte',
    response: `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(1_000_000)}`,
    refusedWith: 502,
    dropsUpstream: true,
  },
];

const none: readonly never[] = [];

const codecAttacks = `${proxySource}http2/attacks.test.ts`;
const wireAttacks = 'tests/wire/http2-attacks.test.ts';

/** A class of HTTP/2, whose tests speak in frames. */
function http2(number: number, name: string, ...elsewhere: readonly OtherTests[]): AttackClass {
  return { number, name, rules: none, cases: none, elsewhere };
}

export const attackClasses: readonly AttackClass[] = [
  http2(
    1,
    'rapid reset',
    { file: codecAttacks, names: ['rapid reset, CVE-2023-44487'] },
    { file: wireAttacks, names: ['each is cancelled upstream'] },
  ),
  http2(
    2,
    'resets that the proxy is made to send',
    { file: codecAttacks, names: ['CVE-2025-8671'] },
    { file: wireAttacks, names: ['MadeYouReset'] },
  ),
  http2(3, 'CONTINUATION without an end', {
    file: codecAttacks,
    names: ['CONTINUATION flood', 'in many small frames', 'cut off in the middle'],
  }),
  http2(4, 'small blocks for large heads', {
    file: codecAttacks,
    names: ['HPACK bomb', 'crumbs of a cookie'],
  }),
  http2(5, 'fields that count for nothing', {
    file: codecAttacks,
    names: ['with the same pseudo-header many times'],
  }),
  http2(
    6,
    'frames that cost nothing',
    {
      file: codecAttacks,
      names: [
        'PING (CVE-2019-9512)',
        'SETTINGS (CVE-2019-9515)',
        'CVE-2019-9514',
        'CVE-2019-9518',
        'PRIORITY',
      ],
    },
    { file: wireAttacks, names: ['frames that cost nothing'] },
  ),
  http2(
    7,
    'tiny windows',
    { file: codecAttacks, names: ['tiny windows, CVE-2019-9511, 9517'] },
    { file: wireAttacks, names: ['held up at its upstream, and given up in the end'] },
  ),
  http2(8, 'windows above their limit', {
    file: `${proxySource}http2/server-connection.test.ts`,
    names: ['a window above 2^31-1'],
  }),
  http2(
    9,
    'many streams gone at once',
    { file: codecAttacks, names: ['a thousand of them'] },
    { file: wireAttacks, names: ['a hundred at once are gone with their connection'] },
  ),
  http2(10, 'what HTTP/1.1 would take for something else', {
    file: wireAttacks,
    names: ['never reaches an upstream', 'is no request upstream, nor is what follows'],
  }),
  http2(11, 'too many streams', { file: wireAttacks, names: ['are refused, and no upstream hears of them'] }),
  { number: 12, name: 'a length and chunked', rules: [14], cases: none, elsewhere: none },
  { number: 13, name: 'disguised codings', rules: [16, 17], cases: coding, elsewhere: none },
  { number: 14, name: 'bad lengths', rules: [15], cases: none, elsewhere: none },
  {
    number: 15,
    name: 'early answers and expectations',
    rules: [20, 25, 32],
    cases: desynchronised,
    elsewhere: [
      {
        file: `${proxySource}http/interim-responses.test.ts`,
        names: ['a refusal instead of 100 ends the connection'],
      },
      { file: `${proxySource}http/message-ends.test.ts`, names: ['an early response is passed on'] },
    ],
  },
  { number: 16, name: 'abuse of chunks', rules: [18], cases: chunks, elsewhere: none },
  {
    number: 17,
    name: 'trailers',
    rules: [19],
    cases: trailers,
    elsewhere: [
      { file: `${proxySource}http/trailers.test.ts`, names: ['leave out what would come too late'] },
    ],
  },
  {
    number: 18,
    name: 'line ends, folding, controls',
    rules: [5, 7, 8, 9, 10, 11],
    cases: none,
    elsewhere: none,
  },
  {
    number: 19,
    name: 'request lines',
    rules: [1, 2, 3, 4, 6],
    cases: targets,
    elsewhere: [
      { file: `${proxySource}http/http10.test.ts`, names: ['is answered with 426 unless'] },
      {
        file: 'tests/differential/cases/request-line.ts',
        names: ['an absolute target with https', 'a fragment'],
      },
    ],
  },
  {
    number: 20,
    name: 'Host',
    rules: [21, 22],
    cases: none,
    elsewhere: [
      { file: `${proxySource}http/http10.test.ts`, names: ['without Host and without a default host'] },
    ],
  },
  {
    number: 21,
    name: 'poisoned response queues',
    rules: [26, 27, 30],
    cases: none,
    elsewhere: [
      { file: 'tests/wire/broken-connections.test.ts', names: ['after any byte of its answer'] },
      { file: `${proxySource}http/keep-alive-race.test.ts`, names: ['one byte of a response has come'] },
    ],
  },
  {
    number: 22,
    name: 'smuggling through upgrades',
    rules: [31],
    cases: upgrades,
    elsewhere: [
      {
        file: `${proxySource}http/tunnels.test.ts`,
        names: [
          'that the upstream declines is an answer, and the end of both connections',
          'switched before the request’s end is no response',
          'with a length is refused',
          'is refused where neither listener nor route takes it',
        ],
      },
    ],
  },
  { number: 23, name: 'fields of one hop', rules: [23, 24], cases: none, elsewhere: none },
  { number: 24, name: 'responses that split', rules: [28, 29], cases: responses, elsewhere: none },
  {
    number: 25,
    name: 'large heads',
    rules: [13],
    cases: none,
    elsewhere: [{ file: 'tests/load/support/connections.ts', names: ['heads of 60 KiB without an end'] }],
  },
  {
    number: 26,
    name: 'slow clients',
    rules: none,
    cases: none,
    elsewhere: [
      {
        file: 'tests/wire/silent-peers.test.ts',
        names: ['of their heads are dropped', 'of their bodies', 'before the end of a large response'],
      },
      { file: 'tests/load/support/connections.ts', names: ['send their heads byte by byte'] },
      { file: 'tests/load/support/bodies.ts', names: ['against a reader that stands still'] },
    ],
  },
  {
    number: 27,
    name: 'connections in numbers',
    rules: none,
    cases: none,
    elsewhere: [
      { file: 'tests/load/support/connections.ts', names: ['idle connections are kept for little'] },
    ],
  },
  {
    number: 28,
    name: 'TLS',
    rules: none,
    cases: none,
    elsewhere: [
      {
        file: `${proxySource}transport/node/tls-renegotiation.test.ts`,
        names: ['a client that asks for a second handshake', 'a server that asks for a second handshake'],
      },
      {
        file: `${proxySource}inspect/inspectors.test.ts`,
        names: ['more than 16 KiB is too large', 'any split of the bytes finds the same ClientHello'],
      },
      { file: 'tests/differential/cases/streams.ts', names: ['plain text on a TLS port'] },
      { file: `${proxySource}tls/san-matcher.test.ts`, names: ['with a NUL in it', 'its own type only'] },
      {
        file: `${proxySource}transport/node/tls-configured.test.ts`,
        names: ['holds to versions and suites', 'TLS that breaks in the middle'],
      },
      {
        file: `${proxySource}transport/node/tls-resumption.test.ts`,
        names: ['a session of one cluster is not used for another', 'trusts other roots since'],
      },
      {
        file: 'packages/identity/src/verify-chain.test.ts',
        names: ['not made for handshakes', 'refuses it a millisecond', 'trust domains without a bundle'],
      },
      {
        file: 'packages/identity/src/certificate.test.ts',
        names: ['more certificates than any chain needs', 'looks like several names'],
      },
    ],
  },
  {
    number: 30,
    name: 'the PROXY protocol',
    rules: none,
    cases: none,
    elsewhere: [
      {
        file: `${proxySource}inspect/proxy-protocol.test.ts`,
        names: [
          'v2 LOCAL',
          'a TLV that reaches too far',
          '107 bytes without an end',
          'v2 longer than is kept',
          'HTTP',
        ],
      },
      {
        file: `${proxySource}listener/listener.test.ts`,
        names: ['connections without a PROXY header are taken where that is allowed'],
      },
      { file: 'fuzz/targets/first-bytes.ts', names: ['proxy-protocol'] },
    ],
  },
];
