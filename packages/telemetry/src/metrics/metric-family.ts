import type { LabelPairs } from './labels.ts';

/** One number under one set of labels. */
export interface NumberSample {
  readonly labels: LabelPairs;
  readonly value: number;
  /** It has counted something, or has been set. */
  readonly isUsed: boolean;
}

/** One histogram under one set of labels, as a copy that no longer changes. */
export interface HistogramSample {
  readonly labels: LabelPairs;
  /** Ascending upper bounds, without `+Inf`. */
  readonly bounds: Float64Array;
  /** One count per bound and one for `+Inf`; not cumulative. */
  readonly counts: Float64Array;
  readonly sum: number;
  readonly count: number;
}

/** All series of one name: what Prometheus calls a metric family. */
export type MetricFamily =
  | {
      readonly type: 'counter' | 'gauge';
      readonly name: string;
      readonly help: string;
      readonly samples: readonly NumberSample[];
    }
  | {
      readonly type: 'histogram';
      readonly name: string;
      readonly help: string;
      readonly samples: readonly HistogramSample[];
    };
