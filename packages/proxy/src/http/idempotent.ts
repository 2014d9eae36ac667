// Hot path.

/** Methods whose repetition changes nothing (RFC 9110 §9.2.2): only they are ever sent twice. */
export function isIdempotent(method: string): boolean {
  return (
    method === 'GET' ||
    method === 'HEAD' ||
    method === 'OPTIONS' ||
    method === 'PUT' ||
    method === 'DELETE' ||
    method === 'TRACE'
  );
}
