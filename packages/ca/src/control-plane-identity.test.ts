import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Random, silentLogger } from '@heddle/base';
import { parseCertificates, spiffeIdOf } from '@heddle/identity';
import { VirtualClock } from '@heddle/testkit';
import { TemporaryDirectory, openAuthority, unwrap } from './ca-fixture.ts';
import { ControlPlaneIdentity } from './control-plane-identity.ts';

const hourMs = 3_600_000;
const steady: Random = { uint32: () => 0x8000_0000, float: () => 0.5 };
const names = { dnsNames: [], addresses: [] };

describe('ControlPlaneIdentity', () => {
  let temporary: TemporaryDirectory;
  before(() => {
    temporary = new TemporaryDirectory();
  });
  after(() => temporary.dispose());

  test('has the certificate of the control plane at once, and another with another key at half of its life', async () => {
    const clock = new VirtualClock();
    const authority = await openAuthority(temporary.path, { clock });
    const identity = unwrap(
      await ControlPlaneIdentity.open({ authority, names, clock, random: steady, logger: silentLogger }),
    );
    const first = identity.certificate;
    const [leaf] = unwrap(parseCertificates(first.certificateChain));
    assert.deepEqual(spiffeIdOf(leaf!), { ok: true, value: identity.id });
    const changed = new Promise<void>((resolve) => {
      identity.onChange(resolve);
    });
    await clock.advanceAsync(11 * hourMs);
    assert.equal(identity.certificate, first);
    await clock.advanceAsync(1.1 * hourMs);
    await changed;
    assert.notEqual(identity.certificate.privateKey, first.privateKey);
    assert.ok(identity.certificate.notAfterMs > first.notAfterMs + 11 * hourMs);
    identity.close();
    await clock.advanceAsync(48 * hourMs);
    assert.equal(clock.pendingTimers, 0);
  });
});
