import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError, type Random, type Result, createLogger, err, ok, silentLogger } from '@heddle/base';
import { VirtualClock } from '@heddle/testkit';
import {
  type Renewable,
  RenewalSchedule,
  type Validity,
  needsRenewal,
  renewalTimeMs,
} from './renewal-schedule.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Always in the middle: no jitter at all. */
const steady: Random = { uint32: () => 0x8000_0000, float: () => 0.5 };

/** Renews itself, or fails as long as it is told to. */
class FakeCertificate implements Renewable {
  readonly clock: VirtualClock;
  readonly renewedAt: number[] = [];
  readonly lifeMs: number;
  isFailing = false;
  urgent = false;
  current: Validity;

  constructor(clock: VirtualClock, lifeMs: number) {
    this.clock = clock;
    this.lifeMs = lifeMs;
    this.current = { notBeforeMs: clock.now(), notAfterMs: clock.now() + lifeMs };
  }

  validity(): Validity {
    return this.current;
  }

  isUrgent(): boolean {
    return this.urgent;
  }

  renew(): Promise<Result<void, HeddleError>> {
    this.renewedAt.push(this.clock.monotonic());
    if (this.isFailing) return Promise.resolve(err(new HeddleError('HEDDLE_TEST', 'not now')));
    this.urgent = false;
    this.current = { notBeforeMs: this.clock.now(), notAfterMs: this.clock.now() + this.lifeMs };
    return Promise.resolve(ok(undefined));
  }
}

function scheduleFor(
  renewable: FakeCertificate,
  random: Random = steady,
  logger = silentLogger,
): RenewalSchedule {
  const schedule = new RenewalSchedule({ renewable, name: 'test', clock: renewable.clock, random, logger });
  schedule.start();
  return schedule;
}

describe('renewal times', () => {
  const validity: Validity = { notBeforeMs: 1000, notAfterMs: 2000 };

  test('are at half of the life, a twentieth of it earlier or later', () => {
    assert.equal(renewalTimeMs(validity, 0.5), 1500);
    assert.equal(renewalTimeMs(validity, 0), 1450);
    assert.equal(renewalTimeMs(validity, 1), 1550);
  });

  test('are due from half of the life on', () => {
    assert.ok(!needsRenewal(validity, 1499));
    assert.ok(needsRenewal(validity, 1500));
  });
});

describe('RenewalSchedule', () => {
  test('renews at half of each life for as long as it runs', async () => {
    const certificate = new FakeCertificate(new VirtualClock(), dayMs);
    const schedule = scheduleFor(certificate);
    await certificate.clock.advanceAsync(12 * hourMs - 1);
    assert.deepEqual(certificate.renewedAt, []);
    await certificate.clock.advanceAsync(24 * hourMs);
    assert.deepEqual(certificate.renewedAt, [12 * hourMs, 24 * hourMs]);
    schedule.close();
    await certificate.clock.advanceAsync(10 * dayMs);
    assert.equal(certificate.renewedAt.length, 2);
    assert.equal(certificate.clock.pendingTimers, 0);
  });

  test('waits out lives that are longer than a system timer can be', async () => {
    const certificate = new FakeCertificate(new VirtualClock(), 90 * dayMs);
    const schedule = scheduleFor(certificate);
    await certificate.clock.advanceAsync(44 * dayMs);
    assert.deepEqual(certificate.renewedAt, []);
    // Node's timers overflow beyond 24.8 days, and a wall clock that jumps must be noticed within the hour.
    assert.ok((certificate.clock.untilNextMs ?? 0) <= hourMs);
    await certificate.clock.advanceAsync(dayMs);
    assert.deepEqual(certificate.renewedAt, [45 * dayMs]);
    schedule.close();
  });

  test('renews at once what is past half of its life', async () => {
    const certificate = new FakeCertificate(new VirtualClock(), dayMs);
    certificate.current = {
      notBeforeMs: certificate.clock.now() - dayMs,
      notAfterMs: certificate.clock.now() + 1000,
    };
    const schedule = scheduleFor(certificate);
    await certificate.clock.advanceAsync(0);
    assert.deepEqual(certificate.renewedAt, [0]);
    schedule.close();
  });

  test('tries again with growing pauses of at most a minute, and goes on as before after a success', async () => {
    const certificate = new FakeCertificate(new VirtualClock(), dayMs);
    certificate.isFailing = true;
    const schedule = scheduleFor(certificate);
    await certificate.clock.advanceAsync(13 * hourMs);
    const pauses = certificate.renewedAt.slice(1).map((at, index) => at - certificate.renewedAt[index]!);
    assert.deepEqual(pauses.slice(0, 6), [750, 1500, 3000, 6000, 12_000, 24_000]);
    assert.ok(Math.max(...pauses) <= 60_000);
    certificate.isFailing = false;
    await certificate.clock.advanceAsync(60_000);
    const attempts = certificate.renewedAt.length;
    await certificate.clock.advanceAsync(11 * hourMs);
    assert.equal(certificate.renewedAt.length, attempts);
    certificate.isFailing = true;
    await certificate.clock.advanceAsync(2 * hourMs);
    const later = certificate.renewedAt.slice(attempts);
    assert.equal(later[1]! - later[0]!, 750);
    schedule.close();
  });

  test('renews early what has become urgent', async () => {
    const certificate = new FakeCertificate(new VirtualClock(), dayMs);
    const schedule = scheduleFor(certificate);
    await certificate.clock.advanceAsync(hourMs);
    certificate.urgent = true;
    schedule.check();
    await certificate.clock.advanceAsync(0);
    assert.deepEqual(certificate.renewedAt, [hourMs]);
    schedule.close();
  });

  test('never renews more than once a second, however short the lives are', async () => {
    const certificate = new FakeCertificate(new VirtualClock(), 10);
    const schedule = scheduleFor(certificate);
    await certificate.clock.advanceAsync(10_000);
    assert.ok(certificate.renewedAt.length >= 10 && certificate.renewedAt.length <= 11);
    schedule.close();
  });

  test('spreads the renewals of those that were started together', async () => {
    const clock = new VirtualClock();
    const draws = [0, 0.25, 0.75, 0.999];
    const certificates = draws.map(() => new FakeCertificate(clock, dayMs));
    const schedules = certificates.map((certificate, index) =>
      scheduleFor(certificate, { ...steady, float: () => draws[index]! }),
    );
    await clock.advanceAsync(14 * hourMs);
    const times = certificates.map((certificate) => certificate.renewedAt[0]! / hourMs);
    assert.equal(times[0]!.toFixed(1), '10.8');
    assert.equal(times[3]!.toFixed(1), '13.2');
    assert.equal(new Set(times).size, 4);
    for (const schedule of schedules) schedule.close();
  });

  test('reports an expired certificate as an error and others as warnings', async () => {
    const lines: { readonly level: number; readonly msg: string }[] = [];
    const clock = new VirtualClock();
    const logger = createLogger({
      clock,
      sink: (line) => lines.push(JSON.parse(line) as { level: number; msg: string }),
    });
    const certificate = new FakeCertificate(clock, hourMs);
    certificate.isFailing = true;
    const schedule = scheduleFor(certificate, steady, logger);
    await clock.advanceAsync(2 * hourMs);
    assert.equal(lines[0]?.level, 40);
    assert.equal(lines.at(-1)?.level, 50);
    schedule.close();
  });
});
