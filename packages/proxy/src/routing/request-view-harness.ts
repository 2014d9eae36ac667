import type { RequestView } from './request-view.ts';

/** What a test's request is; the rest is `GET / HTTP/1.1` to `x` without headers. */
export type TestRequest = Partial<Pick<RequestView, 'method' | 'path' | 'authority' | 'scheme'>> & {
  /** By lower-case name; a list is a field that comes several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
};

/** A request for tests that need no connection to have one. */
export function testRequest({ headers = {}, ...parts }: TestRequest = {}): RequestView {
  const valuesOf = (name: string): readonly string[] => {
    const values = Object.hasOwn(headers, name) ? headers[name]! : [];
    return typeof values === 'string' ? [values] : values;
  };
  return {
    method: 'GET',
    path: '/',
    authority: 'x',
    scheme: 'http',
    header: (name) => (valuesOf(name).length === 0 ? null : valuesOf(name).join(',')),
    headerValue: (name, index) => valuesOf(name)[index] ?? null,
    ...parts,
  };
}
