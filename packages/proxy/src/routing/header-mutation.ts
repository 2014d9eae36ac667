import type { HeaderFormat } from '@heddle/telemetry';
import type { Field } from '../codec/field.ts';

/** What is done to a header, in Envoy's terms. */
export const HeaderAction = {
  /** Adds one more, whether or not there is one. */
  append: 0,
  addIfAbsent: 1,
  /** Replaces all there are, or adds one. */
  overwrite: 2,
  overwriteIfExists: 3,
  remove: 4,
} as const;
export type HeaderAction = (typeof HeaderAction)[keyof typeof HeaderAction];

/** One change to the headers of a request or response; changes apply in list order. */
export interface HeaderMutation {
  readonly action: HeaderAction;
  /** Lower case. */
  readonly name: string;
  /** What is added; null with `remove`, and where the value is another one for each request. */
  readonly field: Field | null;
  /** Which of the values last worked out is added; -1 for none. An empty one leaves everything as it is. */
  readonly value: number;
  /** Is added even where its value is empty. */
  readonly keepsEmpty: boolean;
  /** Values to work out before this change, all from the fields as they are then; null for none. */
  readonly formats: readonly HeaderFormat[] | null;
}
