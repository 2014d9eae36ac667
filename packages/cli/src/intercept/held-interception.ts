// Rules that are in force for as long as this process lives.
import type { Clock } from '@heddle/base';
import { CliError } from '../cli-error.ts';
import { Interception, type InterceptionPlan } from './interception.ts';
import { InterceptionGuard } from './interception-guard.ts';
import { NamespaceLock } from './namespace-lock.ts';
import { type RunProgram, runSystemProgram } from './run-program.ts';

export class HeldInterception {
  private readonly interception: Interception;
  private readonly lock: NamespaceLock;
  private readonly guard: InterceptionGuard;

  private constructor(interception: Interception, lock: NamespaceLock) {
    this.interception = interception;
    this.lock = lock;
    this.guard = new InterceptionGuard(lock.descriptor);
  }

  /**
   * Puts the plan in force. Rejects with `HEDDLE_INTERCEPT_TAKEN` where somebody else's is, and with what failed; then nothing
   * has changed.
   */
  static async begin(
    plan: InterceptionPlan,
    clock: Clock,
    run: RunProgram = runSystemProgram,
  ): Promise<HeldInterception> {
    const interception = new Interception(run);
    const lock = await NamespaceLock.acquire(clock);
    try {
      await requireNone(interception);
    } catch (error) {
      lock.release();
      throw error;
    }
    const held = new HeldInterception(interception, lock);
    try {
      await interception.apply(plan, await interception.choose('auto'));
    } catch (error) {
      await held.letGo();
      throw error;
    }
    return held;
  }

  /** Removes the rules; rejects with what failed. */
  async end(): Promise<void> {
    try {
      await this.interception.remove();
    } catch (error) {
      // Perhaps a second attempt works.
      await this.guard.finish();
      this.lock.release();
      throw error;
    }
    await this.letGo();
  }

  private async letGo(): Promise<void> {
    await this.guard.dismiss();
    this.lock.release();
  }
}

/** What somebody has written by hand is not ours to replace, or to remove in the end. */
async function requireNone(interception: Interception): Promise<void> {
  if ((await interception.show()) === '') return;
  throw new CliError('HEDDLE_INTERCEPT_TAKEN', 'rules of heddle intercept apply are in force already', {
    hint: 'remove them by heddle intercept remove, or say --intercept-rules keep to use them as they are',
  });
}
