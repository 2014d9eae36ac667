/**
 * Keeps foreign pages away from an API on loopback. A page can make its visitor's browser send requests to 127.0.0.1:
 * under its own name after DNS rebinding (then `Host` is foreign), or across origins (then `Origin` is).
 */
import { RequestRefused } from './failure.ts';
import { isLoopback } from './loopback.ts';

/** The host of a `Host` header without port and brackets; undefined where it is none. */
function hostName(header: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(header);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/** Refuses requests for another host than this machine's loopback or one of `allowedHosts`. */
export function checkHost(host: string | undefined, allowedHosts: readonly string[]): void {
  const name = host === undefined ? undefined : hostName(host);
  if (name !== undefined && (isLoopback(name) || allowedHosts.includes(name))) return;
  throw new RequestRefused(
    403,
    'HEDDLE_API_FOREIGN_HOST',
    'This request names a host that the control plane does not answer for; a page on another site may have sent it.',
    { hint: 'Use http://127.0.0.1 or http://localhost with the port that heddle up printed.' },
  );
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Refuses requests that a page of another origin makes, and changes by cookie that don't say where they come from. */
export function checkOrigin(request: {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Whether a cookie is what authenticates it. */
  readonly byCookie: boolean;
}): void {
  const { method, host, origin, byCookie } = request;
  if (origin === undefined ? safeMethods.has(method) || !byCookie : origin === `http://${host}`) return;
  throw new RequestRefused(
    403,
    'HEDDLE_API_FOREIGN_ORIGIN',
    origin === undefined
      ? 'A change by a logged-in browser must say which page it comes from (header Origin).'
      : "This request comes from a page of another site, which may not use the control plane's API.",
  );
}
