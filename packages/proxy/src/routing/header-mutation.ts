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
  /** Empty with `remove`. */
  readonly value: string;
}
