// Mutations that know what an HTTP/1.1 message is made of: they reach disagreements that flipping bits rarely finds.
import type { SeededRandom } from '@heddle/testkit';
import { mutate } from '../mutate.ts';

/** What parsers have been found to read differently, and what framing is made of. */
const tokens: readonly string[] = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\r\r\n',
    '\r\n\r\n',
    '\n\n',
    '\0',
    '\t',
    ' ',
    '\u000b',
    '\u000c',
    '\u0085',
    '\u00a0',
    '\u007f',
  ],
  ...[
    ':',
    ' :',
    ': ',
    ';',
    ',',
    '=',
    '"',
    '\\',
    '+',
    '-',
    '0x',
    '0',
    '00',
    '_',
    '#',
    '?',
    '%00',
    '%0d%0a',
    '../',
    '//',
  ],
  ...['Content-Length: 0\r\n', 'Content-Length: 5\r\n', 'Content-Length: 5, 5\r\n', 'Content-Length: +5\r\n'],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: identity\r\n',
    'Transfer-Encoding: x, chunked\r\n',
  ],
  ...[
    'Transfer-Encoding : chunked\r\n',
    'Transfer-Encoding:\u000bchunked\r\n',
    'Transfer_Encoding: chunked\r\n',
  ],
  ...['Host: b\r\n', 'Host:\r\n', 'Connection: close\r\n', 'Connection: host, te\r\n', 'Upgrade: h2c\r\n'],
  ...[
    'Expect: 100-continue\r\n',
    'TE: trailers\r\n',
    'Trailer: x\r\n',
    'X: y\r\n z\r\n',
    'x_forwarded_for: 1\r\n',
  ],
  ...[
    '0\r\n\r\n',
    '5\r\nhello\r\n',
    '5;a="\r\n',
    '0\r\nX: y\r\n\r\n',
    'ffffffffffffffff\r\n',
    ' HTTP/1.1',
    ' HTTP/1.0',
  ],
  ...[
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
  ],
];

function changeLines(text: string, random: SeededRandom): string {
  const lines = text.split('\r\n');
  const index = random.integer(0, lines.length - 1);
  const line = lines[index]!;
  switch (random.integer(0, 5)) {
    case 0:
      lines.splice(index, 0, line);
      break;
    case 1:
      lines.splice(index, 1);
      break;
    case 2:
      lines.splice(random.integer(0, lines.length), 0, ...lines.splice(index, 1));
      break;
    case 3:
      lines[index] = random.chance(0.5) ? line.toUpperCase() : line.toLowerCase();
      break;
    case 4:
      lines[index] = line.replace(/\d+/, () => String(random.integer(0, 40)));
      break;
    default:
      lines[index] = `${line.slice(0, line.length >> 1)}\r\n${line.slice(line.length >> 1)}`;
      break;
  }
  return lines.join('\r\n');
}

/** A changed copy of a message, now and then changed as bytes. */
export function mutateHttp1(
  input: Uint8Array,
  corpus: readonly Uint8Array[],
  random: SeededRandom,
): Uint8Array {
  if (random.chance(0.3)) return mutate(input, corpus, random);
  let text = Buffer.from(input).toString('latin1');
  for (let count = random.integer(1, 3); count > 0; count--) {
    if (random.chance(0.4)) {
      text = changeLines(text, random);
      continue;
    }
    const at = random.integer(0, text.length);
    const removed = random.chance(0.5) ? 0 : random.integer(0, 3);
    text = text.slice(0, at) + random.pick(tokens) + text.slice(at + removed);
  }
  return Buffer.from(text.slice(0, 8192), 'latin1');
}
