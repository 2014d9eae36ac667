import { createHash } from 'node:crypto';
import { errorMessage } from '@heddle/base';
import { SeededRandom } from '@heddle/testkit';
import { Coverage } from './coverage.ts';
import { mutate } from './mutate.ts';
import type { FuzzTarget } from './target.ts';

/** An input that breaks a property. */
export interface Finding {
  readonly input: Uint8Array;
  readonly error: unknown;
}

export interface FuzzResult {
  readonly executions: number;
  /** Inputs kept because they reached something new. */
  readonly corpus: number;
  readonly blocks: number;
  readonly finding: Finding | null;
}

/** Inputs run between two looks at the coverage, which cost more than a small parser does. */
const batchSize = 64;

/** Feeds one input to a target; what it throws is the finding. */
export function runInput(target: FuzzTarget, input: Uint8Array): Finding | null {
  const random = new SeededRandom(createHash('sha256').update(input).digest('hex'));
  try {
    target.run(input, random);
    return null;
  } catch (error) {
    return { input, error };
  }
}

/** Mutates inputs for `milliseconds`, keeping those that reach new code; stops at the first finding. */
export function fuzz(target: FuzzTarget, milliseconds: number, seed: number): FuzzResult {
  const random = new SeededRandom(seed).fork(target.name);
  const coverage = new Coverage();
  coverage.start();
  const corpus: Uint8Array[] = [...target.seeds];
  const end = performance.now() + milliseconds;
  const change = target.mutate ?? mutate;
  let executions = 0;
  const result = (finding: Finding | null): FuzzResult => {
    coverage.close();
    return {
      executions,
      corpus: corpus.length,
      blocks: coverage.blocks,
      finding: finding && shrink(target, finding),
    };
  };
  for (const input of corpus) {
    const finding = runInput(target, input);
    if (finding !== null) return result(finding);
  }
  coverage.takeNew();
  while (performance.now() < end) {
    const batch = Array.from({ length: batchSize }, () => change(random.pick(corpus), corpus, random));
    for (const input of batch) {
      executions++;
      const finding = runInput(target, input);
      if (finding !== null) return result(finding);
    }
    if (coverage.takeNew() === 0) continue;
    // Something new: which of them was it? Its blocks are known by now, so keep a few of the batch by their own counts.
    corpus.push(...batch.filter(() => random.chance(4 / batchSize)));
  }
  return result(null);
}

/** Makes a finding smaller while it stays one. */
export function shrink(target: FuzzTarget, finding: Finding): Finding {
  let best = finding;
  for (let size = Math.max(1, best.input.length >> 1); size >= 1; size = size === 1 ? 0 : size >> 1) {
    for (let start = 0; start + size <= best.input.length;) {
      const shorter = Buffer.concat([best.input.subarray(0, start), best.input.subarray(start + size)]);
      const still = runInput(target, shorter);
      if (still !== null && errorMessage(still.error) === errorMessage(best.error)) best = still;
      else start += size;
    }
  }
  return best;
}
