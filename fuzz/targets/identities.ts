import assert from 'node:assert/strict';
import { decodePem, encodePem, parseJoinToken, parseSpiffeId } from '@heddle/identity';
import { bytesOf, type FuzzTarget } from '../target.ts';

/** What identifies somebody is taken exactly or refused, never with an exception. */
export const identities: FuzzTarget = {
  name: 'identities',
  seeds: [
    'spiffe://cluster.local/ns/default/sa/reviews',
    'hdl1.cXw8d9H_HlzF.hXTFiGcUxs8X81EP43JmOeX0fNtOrCFFaLjuaUdbF-8.zvOH1-384rt_q7AfiLnzt948VdW2G608P1exFOrvl1A',
    encodePem('CERTIFICATE REQUEST', Buffer.from([0x30, 0x03, 0x02, 0x01, 0x00])),
  ].map(bytesOf),
  run: (input) => {
    const text = Buffer.from(input).toString('latin1');
    const id = parseSpiffeId(text);
    if (id.ok) assert.equal(id.value, text, 'an id is its text');
    parseJoinToken(text);
    decodePem('CERTIFICATE REQUEST', text);
  },
};
