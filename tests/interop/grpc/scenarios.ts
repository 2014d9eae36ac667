// What each client does and what must come of it, whatever lies between it and the server.

/** One call. All clients read this as JSON. */
export interface Scenario {
  readonly name: string;
  /** `Bidi` sends a message, awaits its echo, and sends the next. `Missing` is a method that the server hasn't got. */
  readonly method: 'Unary' | 'ServerStream' | 'ClientStream' | 'Bidi' | 'Missing';
  /** Of the messages that the client sends, in bytes. */
  readonly sizes: readonly number[];
  /** What the server is asked for (support/echo-server.ts) and to give back. Names that end with `-bin` are sent as bytes. */
  readonly metadata: Readonly<Record<string, string>>;
  /** 0 for none. */
  readonly deadlineMs: number;
  /** After so many messages the client cancels; -1 for never. */
  readonly cancelAfter: number;
  /** Messages are sent compressed with gzip. */
  readonly isCompressed: boolean;
}

/** What a client has seen of one call. */
export interface Outcome {
  readonly name: string;
  readonly code: number;
  readonly details: string;
  /** Messages that came, and their bytes. */
  readonly count: number;
  readonly bytes: number;
  /** Each of them held what was sent. */
  readonly isIntact: boolean;
  /** `x-echo` as it came back before the messages, and `x-echo-bin` behind them; empty where they did not. */
  readonly header: string;
  readonly trailer: string;
  /** How many messages and bytes the server had got, as it says behind its own; empty where it didn't come to that. */
  readonly received: string;
  /** How many milliseconds the server had for the call, `none` for any number; empty as above. */
  readonly deadlineMs: string;
}

export interface Case extends Scenario {
  /** Those parts of the outcome that matter. */
  readonly expected: Partial<Omit<Outcome, 'name' | 'deadlineMs'>>;
  /** The server has learnt that the client doesn't wait any more. */
  readonly isCancelled: boolean;
}

const kibibytes64 = 65_536;
const okay = { code: 0, isIntact: true } as const;

function call(
  name: string,
  method: Scenario['method'],
  sizes: readonly number[],
  expected: Case['expected'],
  rest: Partial<Scenario & { isCancelled: boolean }> = {},
): Case {
  return {
    name,
    method,
    sizes,
    metadata: {},
    deadlineMs: 0,
    cancelAfter: -1,
    isCompressed: false,
    isCancelled: false,
    expected,
    ...rest,
  };
}

function times(count: number, size: number): number[] {
  return Array.from({ length: count }, () => size);
}

const words = 'näh: 100 %\n';
const failing = { 'x-status': '9', 'x-details': encodeURIComponent(words), 'x-echo-bin': '\u0001 ü' };

export const cases: readonly Case[] = [
  call('a message comes back', 'Unary', [100], { ...okay, count: 1, bytes: 100, received: '1 100' }),
  call('so does one with nothing in it', 'Unary', [0], { ...okay, count: 1, bytes: 0, received: '1 0' }),
  call('and one of 64 KiB', 'Unary', [kibibytes64], { ...okay, count: 1, bytes: kibibytes64 }),
  call('and one of 3 MiB', 'Unary', [3_145_728], { ...okay, count: 1, bytes: 3_145_728 }),
  call('and a compressed one', 'Unary', [5000], { ...okay, count: 1, bytes: 5000 }, { isCompressed: true }),
  call(
    'metadata goes both ways, before and behind the messages',
    'Unary',
    [10],
    { ...okay, header: 'a, "b"; c=1', trailer: '\u0001 ü' },
    { metadata: { 'x-echo': 'a, "b"; c=1', 'x-echo-bin': '\u0001 ü' } },
  ),
  call(
    'so does much of it',
    'Unary',
    [10],
    { ...okay, header: 'm'.repeat(5000) },
    { metadata: { 'x-echo': 'm'.repeat(5000) } },
  ),
  call(
    'a call that fails at once has its status and its words',
    'Unary',
    [10],
    { code: 9, details: words, count: 0, trailer: '\u0001 ü' },
    { metadata: failing },
  ),
  call(
    'so does one without words',
    'Unary',
    [10],
    { code: 9, details: '' },
    { metadata: { 'x-status': '9' } },
  ),
  call('an unknown method is unimplemented', 'Missing', [10], { code: 12 }),
  call(
    'a hundred messages of 64 KiB come in their order',
    'ServerStream',
    [kibibytes64],
    { ...okay, count: 100, bytes: 100 * kibibytes64 },
    { metadata: { 'x-count': '100' } },
  ),
  call(
    'a stream of nothing ends well',
    'ServerStream',
    [10],
    { ...okay, count: 0 },
    { metadata: { 'x-count': '0' } },
  ),
  call(
    'a stream that fails has given what came before',
    'ServerStream',
    [1000],
    { code: 9, count: 7, details: words, isIntact: true, trailer: '\u0001 ü' },
    { metadata: { ...failing, 'x-count': '100', 'x-after': '7' } },
  ),
  call('a hundred messages of 64 KiB go in their order', 'ClientStream', times(100, kibibytes64), {
    ...okay,
    count: 1,
    received: `100 ${100 * kibibytes64}`,
  }),
  call('a stream without messages is a call, too', 'ClientStream', [], { ...okay, received: '0 0' }),
  call(
    'a server may answer before the client has said all',
    'ClientStream',
    times(50, kibibytes64),
    { code: 9, count: 0 },
    { metadata: { 'x-status': '9', 'x-after': '2' } },
  ),
  call('messages go to and fro', 'Bidi', times(50, 1000), {
    ...okay,
    count: 50,
    bytes: 50_000,
    received: '50 50000',
  }),
  call(
    'until one side fails',
    'Bidi',
    times(50, 1000),
    { code: 9, count: 3, isIntact: true },
    { metadata: { 'x-status': '9', 'x-after': '3' } },
  ),
  call(
    'a call that outlasts its deadline says so',
    'Unary',
    [10],
    { code: 4 },
    { deadlineMs: 300, metadata: { 'x-delay-ms': '60000' } },
  ),
  call(
    'that a client has cancelled is known to the server',
    'Bidi',
    times(10, 100),
    { code: 1, count: 2 },
    { cancelAfter: 2, isCancelled: true },
  ),
  call('the server knows how much time it has', 'Unary', [10], { ...okay }, { deadlineMs: 20_000 }),
];
