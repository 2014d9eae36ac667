// Hot path.
/** What routing reads of a request. The codec's head implements it without copying anything that nobody asks for. */
export interface RequestView {
  /** `GET`, … as received. */
  readonly method: string;
  /** The request target in origin form, query included. */
  readonly path: string;
  /** The `Host` header or the target's authority, as received. */
  readonly authority: string;
  /** `http` or `https`: what the client used, as far as is known. */
  readonly scheme: string;
  /** A header by its lower-case name, several of them joined with `,`; null where there is none. Never a pseudo-header. */
  header(lowerCaseName: string): string | null;
  /** One header line of that name, the `index`-th from 0; null where there are not so many. Never a pseudo-header. */
  headerValue(lowerCaseName: string, index: number): string | null;
}
