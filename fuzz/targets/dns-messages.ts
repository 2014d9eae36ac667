import assert from 'node:assert/strict';
import { type DnsMessage, RecordType } from '../../packages/proxy/src/dns/dns-message.ts';
import { readMessage } from '../../packages/proxy/src/dns/read-message.ts';
import { writeMessage } from '../../packages/proxy/src/dns/write-message.ts';
import type { FuzzTarget } from '../target.ts';

const message: DnsMessage = {
  id: 1,
  isResponse: true,
  opcode: 0,
  isAuthoritative: false,
  isTruncated: false,
  recursionDesired: true,
  recursionAvailable: true,
  responseCode: 0,
  questions: [{ name: 'reviews.default.svc', type: RecordType.a, class: 1 }],
  answers: [
    {
      name: 'reviews.default.svc',
      type: RecordType.cname,
      class: 1,
      ttlSeconds: 30,
      data: { kind: 'name', name: 'other.default.svc' },
    },
    {
      name: 'other.default.svc',
      type: RecordType.aaaa,
      class: 1,
      ttlSeconds: 30,
      data: { kind: 'address', address: '2001:2::1' },
    },
  ],
  authorities: [],
  additionals: [
    {
      name: '_http._tcp.svc',
      type: RecordType.srv,
      class: 1,
      ttlSeconds: 1,
      data: { kind: 'service', priority: 1, weight: 2, port: 3, target: 'a.svc' },
    },
  ],
  ednsPayloadBytes: 1232,
};

/** DNS messages: whatever is read can be written, and is read again as the same; a prefix of it is no message. */
export const dnsMessages: FuzzTarget = {
  name: 'dns-messages',
  seeds: [
    writeMessage(message),
    writeMessage({ ...message, isResponse: false, answers: [], additionals: [], ednsPayloadBytes: null }),
  ],
  run: (input) => {
    const first = readMessage(Buffer.from(input));
    if (!first.ok) return;
    assert.deepEqual(readMessage(writeMessage(first.value)), first);
    if (first.value.isTruncated) return;
    for (let end = 0; end < input.length; end++) {
      assert.equal(readMessage(Buffer.from(input.subarray(0, end))).ok, false, 'a prefix is no message');
    }
  },
};
