// Hot path.
import { pathWithoutQuery } from './path-matcher.ts';
import type { PathRewrite, Redirect } from './route-match.ts';

/** The request target to send upstream: the matched part replaced, the query kept. */
export function rewritePath(rewrite: PathRewrite, target: string): string {
  if (rewrite.kind === 'regex') {
    const path = pathWithoutQuery(target);
    const rewritten = rewrite.rewrite.apply(path) + target.slice(path.length);
    // A pattern may take the slash away that makes it a path.
    return rewritten.startsWith('/') ? rewritten : `/${rewritten}`;
  }
  const length = rewrite.length < 0 ? pathWithoutQuery(target).length : rewrite.length;
  return rewrite.replacement + target.slice(length);
}

/** The `Location` of a redirect. `scheme` is the one the request came with. */
export function redirectLocation(
  redirect: Redirect,
  scheme: string,
  authority: string,
  target: string,
): string {
  const newScheme = redirect.scheme ?? scheme;
  const oldPath = pathWithoutQuery(target);
  const query = redirect.stripsQuery ? '' : target.slice(oldPath.length);
  let path = oldPath + query;
  if (redirect.path !== null) path = redirect.path.includes('?') ? redirect.path : redirect.path + query;
  else if (redirect.pathRewrite !== null) path = rewritePath(redirect.pathRewrite, oldPath) + query;
  return `${newScheme}://${newAuthority(redirect, newScheme, authority)}${path}`;
}

const hostAndPort = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/;

function newAuthority(redirect: Redirect, newScheme: string, authority: string): string {
  const parts = hostAndPort.exec(authority);
  const host = redirect.host ?? parts?.[1] ?? authority;
  if (redirect.port !== null) return `${host}:${redirect.port}`;
  const port = redirect.host === null ? (parts?.[2] ?? '') : '';
  // A port that was the default of the old scheme would be wrong under the new one.
  const oldDefault = newScheme === 'https' ? '80' : '443';
  const isOldDefault = redirect.scheme !== null && !redirect.keepsPort && port === oldDefault;
  return port === '' || isOldDefault ? host : `${host}:${port}`;
}
