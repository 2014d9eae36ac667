// What proxies would not take of a VirtualService's actions, and what can't be meant.
import { Regex, Substitution } from '@heddle/base/regex/regex.ts';
import { grpcStatusNames } from '../mesh/compile-fault.ts';
import { isAuthority, isChangeable } from '../mesh/compile-header-changes.ts';
import { isRedirectStatus } from '../mesh/compile-action.ts';
import { retryConditions, splitRetryOn } from '../mesh/compile-retries.ts';
import type { HeaderRules, HttpRule } from '../schema/virtual-service.ts';
import type { Path } from '../source/place.ts';
import type { Report } from './check.ts';

const authority = /^(?:[A-Za-z0-9._~!$&'()*+;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?$/;
const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Envoy's operators in values, as proxies know them. */
const operators =
  /%(?:%|(?:REQ|RESP)\([^)%]+\)(?::\d+)?%|START_TIME(?:\([^)]*\))?%|ENVIRONMENT\([^)]+\)%|[A-Z][A-Z0-9_]*%)/g;
/** As Istio's. */
const maxBodyBytes = 1024 * 1024;

/** Checks everything about a rule but its matches and destinations. */
export function checkAction(rule: HttpRule, path: Path, report: Report): void {
  checkRedirect(rule.redirect, [...path, 'redirect'], report);
  checkDirectResponse(rule.directResponse, [...path, 'directResponse'], report);
  checkRewrite(rule.rewrite, [...path, 'rewrite'], report);
  checkRetries(rule.retries, [...path, 'retries'], report);
  checkHeaders(rule.headers, [...path, 'headers'], report);
  for (const [index, { headers }] of (rule.route ?? []).entries())
    checkHeaders(headers, [...path, 'route', index, 'headers'], report);
  const { grpcStatus } = rule.fault?.abort ?? {};
  if (grpcStatus !== undefined && !grpcStatusNames.includes(grpcStatus))
    report.invalid([...path, 'fault', 'abort', 'grpcStatus'], `'${grpcStatus}' is no status of gRPC`);
  if (rule.delegate !== undefined && (rule.delegate.name ?? '') === '')
    report.missing([...path, 'delegate', 'name'], 'delegate needs the name of a VirtualService');
  const { allowMethods = [], allowHeaders = [], exposeHeaders = [] } = rule.corsPolicy ?? {};
  if (!fieldValue.test([...allowMethods, ...allowHeaders, ...exposeHeaders].join('')))
    report.invalid([...path, 'corsPolicy'], 'holds characters that no header may hold');
  for (const [index, origin] of (rule.corsPolicy?.allowOrigins ?? []).entries())
    if (origin.regex !== undefined)
      checkRegex(origin.regex, [...path, 'corsPolicy', 'allowOrigins', index, 'regex'], report);
  if (rule.mirror !== undefined && rule.mirrors !== undefined)
    report.invalid([...path, 'mirrors'], `a rule can't have both mirror and mirrors`);
}

/** Checks a regular expression of RE2. */
export function checkRegex(pattern: string, path: Path, report: Report): Regex | null {
  if (pattern === '') {
    report.invalid(path, 'an empty regular expression matches nothing');
    return null;
  }
  const compiled = Regex.compile(pattern);
  if (compiled.ok) return compiled.value;
  report.invalid(path, `'${pattern}' is no regular expression of RE2: ${compiled.error}`);
  return null;
}

function checkRedirect(redirect: HttpRule['redirect'], path: Path, report: Report): void {
  if (redirect === undefined) return;
  const { uri = '', prefixRewrite = '', authority: host, scheme, redirectCode = 301 } = redirect;
  if (Object.values(redirect).every((value) => value === undefined || value === ''))
    report.missing(path, 'the redirect changes nothing', 'give it a uri, authority, scheme or port');
  if (uri !== '' && prefixRewrite !== '')
    report.invalid([...path, 'prefixRewrite'], 'stands beside uri, but only one of the two may be set');
  checkPathText(uri, [...path, 'uri'], report);
  checkPathText(prefixRewrite, [...path, 'prefixRewrite'], report);
  if (host !== undefined) checkAuthority(host, [...path, 'authority'], report);
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
    report.invalid([...path, 'scheme'], `'${scheme}' is neither http nor https`);
  if (!isRedirectStatus(redirectCode))
    report.invalid([...path, 'redirectCode'], `${redirectCode} is none of 301, 302, 303, 307 and 308`);
}

function checkDirectResponse(response: HttpRule['directResponse'], path: Path, report: Report): void {
  if (response === undefined) return;
  const { status, body } = response;
  if (status < 200 || status > 599) report.invalid([...path, 'status'], `${status} is not within 200 to 599`);
  const size = Buffer.byteLength(
    body?.string ?? body?.bytes ?? '',
    body?.bytes === undefined ? 'utf8' : 'base64',
  );
  if (size > maxBodyBytes)
    report.invalid([...path, 'body'], `${size} bytes are more than the ${maxBodyBytes} allowed`);
}

function checkRewrite(rewrite: HttpRule['rewrite'], path: Path, report: Report): void {
  if (rewrite === undefined) return;
  const { uri = '', authority: host, uriRegexRewrite } = rewrite;
  if (uri === '' && (host ?? '') === '' && uriRegexRewrite === undefined)
    report.missing(path, 'the rewrite changes nothing', 'give it a uri, authority or uriRegexRewrite');
  checkPathText(uri, [...path, 'uri'], report);
  if (host !== undefined && host !== '') checkAuthority(host, [...path, 'authority'], report);
  if (uriRegexRewrite === undefined) return;
  const place = [...path, 'uriRegexRewrite'];
  if (uri !== '') report.invalid(place, 'stands beside uri, but only one of the two may be set');
  const { match = '', rewrite: substitution = '' } = uriRegexRewrite;
  const regex = checkRegex(match, [...place, 'match'], report);
  checkPathText(substitution, [...place, 'rewrite'], report);
  const compiled = regex === null ? null : Substitution.compile(substitution, regex.captures);
  if (compiled !== null && !compiled.ok) report.invalid([...place, 'rewrite'], compiled.error);
}

function checkPathText(text: string, path: Path, report: Report): void {
  if (!fieldValue.test(text) || /[\s#]/.test(text))
    report.invalid(path, `'${text}' holds characters that no path may hold`);
}

function checkAuthority(text: string, path: Path, report: Report): void {
  if (!authority.test(text)) report.invalid(path, `'${text}' is no host, with or without port`);
}

function checkRetries(retries: HttpRule['retries'], path: Path, report: Report): void {
  if (retries === undefined) return;
  const { attempts = 0, ...others } = retries;
  if (attempts === 0 && Object.values(others).some((value) => value !== undefined))
    report.doubtful(path, 'nothing is tried again: attempts is 0', 'set attempts');
  for (const condition of splitRetryOn(retries.retryOn ?? '').conditions) {
    const place = [...path, 'retryOn'];
    if (condition === 'http3-post-connect-failure') report.withoutEffect(place, 'HTTP/3');
    else if (!retryConditions.has(condition))
      report.invalid(place, `'${condition}' is no condition of Envoy's, and no status code`);
  }
}

function checkHeaders(headers: HeaderRules | undefined, path: Path, report: Report): void {
  for (const message of ['request', 'response'] as const) {
    const { set = {}, add = {}, remove = [] } = headers?.[message] ?? {};
    const check = (name: string, place: Path, isSet: boolean): void => {
      if (isSet && message === 'request' && isAuthority(name)) return;
      if (!isChangeable(name)) report.withoutEffect(place, `changes of the header ${name} by routes`);
      else if (!fieldName.test(name)) report.invalid(place, `'${name}' is not a header name`);
    };
    for (const [operation, values] of Object.entries({ set, add })) {
      for (const [name, value] of Object.entries(values)) {
        const place = [...path, message, operation, name];
        check(name, place, operation === 'set');
        if (operation === 'set' && message === 'request' && isAuthority(name))
          checkAuthority(value, place, report);
        else checkValue(value, place, report);
      }
    }
    for (const [index, name] of remove.entries()) check(name, [...path, message, 'remove', index], false);
  }
}

function checkValue(value: string, path: Path, report: Report): void {
  if (!fieldValue.test(value)) report.invalid(path, 'the value holds characters that no header may hold');
  if (value.replaceAll(operators, '').includes('%'))
    report.invalid(
      path,
      `'${value}' holds a % that begins no format operator`,
      'write %% for a percent sign',
    );
}
