import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CertificateSummary } from '../generated/api.ts';
import { judgeCertificate } from './certificate-life.ts';

function certificate(kind: CertificateSummary['kind']): CertificateSummary {
  return {
    identity: 'spiffe://cluster.local/ns/a/sa/b',
    kind,
    serial: '01',
    notBefore: 1000,
    notAfter: 2000,
  };
}

test('worries about a certificate that was not renewed, and more as its end comes near', () => {
  const states = [900, 1000, 1599, 1600, 1900, 2000, 5000].map(
    (now) => judgeCertificate(certificate('workload'), now).state,
  );
  assert.deepEqual(states, ['fresh', 'fresh', 'fresh', 'late', 'ending', 'expired', 'expired']);
});

test('does not expect a root to be renewed at half life', () => {
  assert.equal(judgeCertificate(certificate('root'), 1800).state, 'fresh');
  assert.equal(judgeCertificate(certificate('root'), 1950).state, 'ending');
});

test('says how much of the life is over, within its ends', () => {
  assert.equal(judgeCertificate(certificate('workload'), 500).used, 0);
  assert.equal(judgeCertificate(certificate('workload'), 1250).used, 0.25);
  assert.equal(judgeCertificate(certificate('workload'), 9999).used, 1);
});

test('takes a certificate without any life for used up', () => {
  assert.equal(judgeCertificate({ ...certificate('workload'), notAfter: 1000 }, 900).used, 1);
});
