/** One message as the suite's parser saw it; fields as far as they were parsed. */
export interface ExpectedMessage {
  readonly offset: number;
  readonly method?: string;
  readonly url?: string;
  readonly version?: string;
  readonly status?: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly flags?: readonly string[];
  readonly bodyBase64?: string;
  readonly complete?: boolean;
  readonly upgrade?: boolean;
}

/** One case of the suite `http1-parsing`. */
export interface ParsingCase {
  readonly id: string;
  readonly name: string;
  readonly type: 'request' | 'response' | 'url';
  readonly inputBase64: string;
  /** What a lenient parser was told to let through; empty for a strict one. */
  readonly lenient?: readonly string[];
  readonly endOfInput?: boolean;
  readonly skipBody?: boolean;
  readonly expected: {
    readonly outcome: 'ok' | 'error';
    readonly messages?: readonly ExpectedMessage[];
  };
}

export type Verdict = 'passed' | 'failed' | 'deviates' | 'skipped';

/** Verdicts of a suite and what is wrong. */
export class Score {
  readonly failures: string[] = [];
  private readonly suite: string;
  private readonly counts: Record<Verdict, number> = { passed: 0, failed: 0, deviates: 0, skipped: 0 };

  constructor(suite: string) {
    this.suite = suite;
  }

  get passed(): number {
    return this.counts.passed;
  }

  add(id: string, verdict: Verdict, reason = ''): void {
    this.counts[verdict]++;
    if (verdict === 'failed') this.failures.push(`${id}: ${reason}`);
  }

  /** The suite's line. */
  toString(): string {
    const { passed, failed, deviates, skipped } = this.counts;
    return `${this.suite}: passed ${passed}, failed ${failed}, deviates ${deviates}, skipped ${skipped}`;
  }
}
