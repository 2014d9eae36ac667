// The examples of RFC 7541, appendix C.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Field } from '../../codec/field.ts';
import { FieldList } from '../../codec/field-list.ts';
import { HpackDecoder } from './decoder.ts';
import { HpackEncoder } from './encoder.ts';
import { HpackError } from './hpack-error.ts';
import { sharedFields } from '../../codec/shared-fields.ts';

type Pairs = readonly (readonly [string, string])[];

const limits = { maxTableSize: 4096, maxListBytes: 65_536, maxFields: 100 };

function decode(decoder: HpackDecoder, hex: string): Pairs {
  const block = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const list = new FieldList();
  assert.equal(decoder.decode(block, 0, block.length, list), HpackError.none);
  return pairs(list);
}

function pairs(list: FieldList): Pairs {
  return list.fields.slice(0, list.length).map(({ name, value }) => [name, value]);
}

/** The block for fields that are known to repeat. */
function encode(encoder: HpackEncoder, fields: Pairs): string {
  const list = FieldList.of(...fields.map(([name, value]) => sharedFields.hold(new Field(name, value))));
  const out = Buffer.alloc(list.decodedBytes + 12);
  return out.toString('hex', 0, encoder.encode(list, out, 0));
}

const requests: readonly Pairs[] = [
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
    ['cache-control', 'no-cache'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ],
];

const cookie = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
const responses: readonly Pairs[] = [
  [
    [':status', '302'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '307'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '200'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
    ['location', 'https://www.example.com'],
    ['content-encoding', 'gzip'],
    ['set-cookie', cookie],
  ],
];

const plainRequests = [
  '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
  '8286 84be 5808 6e6f 2d63 6163 6865',
  '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
];
const codedRequests = [
  '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
  '8286 84be 5886 a8eb 1064 9cbf',
  '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
];
const plainResponses = [
  '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
  '4803 3330 37c1 c0bf',
  '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
];
const codedResponses = [
  '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
  '4883 640e ffc1 c0bf',
  '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
];

/** The table of 256 bytes that the examples with responses begin with. */
const sizeUpdate = '3fe101';

describe('decodes', () => {
  for (const [section, hex, name, value] of [
    [
      'C.2.1',
      '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      'custom-key',
      'custom-header',
    ],
    ['C.2.2', '040c 2f73 616d 706c 652f 7061 7468', ':path', '/sample/path'],
    ['C.2.3', '1008 7061 7373 776f 7264 0673 6563 7265 74', 'password', 'secret'],
    ['C.2.4', '82', ':method', 'GET'],
  ] as const) {
    test(section, () => assert.deepEqual(decode(new HpackDecoder(limits), hex), [[name, value]]));
  }

  for (const [section, blocks] of [
    ['C.3', plainRequests],
    ['C.4', codedRequests],
  ] as const) {
    test(section, () => {
      const decoder = new HpackDecoder(limits);
      for (const [index, block] of blocks.entries())
        assert.deepEqual(decode(decoder, block), requests[index]);
    });
  }

  for (const [section, blocks] of [
    ['C.5', plainResponses],
    ['C.6', codedResponses],
  ] as const) {
    test(`${section}: entries leave a table of 256 bytes`, () => {
      const decoder = new HpackDecoder(limits);
      decoder.setMaxTableSize(256);
      assert.deepEqual(decode(decoder, sizeUpdate), []);
      for (const [index, block] of blocks.entries())
        assert.deepEqual(decode(decoder, block), responses[index]);
    });
  }
});

describe('encodes', () => {
  test('C.4', () => {
    const encoder = new HpackEncoder(4096);
    for (const [index, block] of codedRequests.entries()) {
      assert.equal(encode(encoder, requests[index]!), block.replaceAll(' ', ''));
    }
  });

  test('C.6, but for a value that Huffman code would not make shorter', () => {
    const encoder = new HpackEncoder(256);
    assert.equal(encode(encoder, []), sizeUpdate);
    for (const [index, block] of [codedResponses[0]!, plainResponses[1]!, codedResponses[2]!].entries()) {
      assert.equal(encode(encoder, responses[index]!), block.replaceAll(' ', ''));
    }
  });
});
