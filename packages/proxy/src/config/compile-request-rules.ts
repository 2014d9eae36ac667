// The part of an HTTP connection manager that says what is done to requests before they are routed.
import { isIP } from 'node:net';
import {
  type HttpConnectionManager,
  HttpConnectionManager_ForwardClientCertDetails as ForwardClientCert,
  HttpConnectionManager_PathWithEscapedSlashesAction as SlashesAction,
} from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import type { ClientCertMode } from '../http/forwarded-client-cert.ts';
import type { HostRules } from '../http/host-normalization.ts';
import type { InternalRange } from '../http/internal-addresses.ts';
import { EscapedSlashes, type PathRules } from '../http/path-normalization.ts';
import { isHeaderValue } from '../routing/header-syntax.ts';
import type { HttpConfig } from './listener-config.ts';
import type { ProblemList } from './problem-list.ts';

/** A text that goes into a header; empty with a problem noted where it can't. */
export function headerValue(text: string, path: string, problems: ProblemList): string {
  if (isHeaderValue(text)) return text;
  problems.invalid(path, 'holds characters that no header value may hold');
  return '';
}

/** Null where paths go on as they come. */
export function pathRules(
  manager: HttpConnectionManager,
  path: string,
  problems: ProblemList,
): PathRules | null {
  const normalizes = manager.normalizePath ?? false;
  const escapedSlashes = slashesAction(manager, `${path}.path_with_escaped_slashes_action`, problems);
  const isIdle = !normalizes && !manager.mergeSlashes && escapedSlashes === EscapedSlashes.keep;
  return isIdle ? null : { normalizes, mergesSlashes: manager.mergeSlashes, escapedSlashes };
}

function slashesAction(manager: HttpConnectionManager, path: string, problems: ProblemList): number {
  switch (manager.pathWithEscapedSlashesAction) {
    // The implementation's default is that of Envoy, whose runtime leaves it there.
    case SlashesAction.IMPLEMENTATION_SPECIFIC_DEFAULT:
    case SlashesAction.KEEP_UNCHANGED:
      return EscapedSlashes.keep;
    case SlashesAction.REJECT_REQUEST:
      return EscapedSlashes.reject;
    case SlashesAction.UNESCAPE_AND_REDIRECT:
      return EscapedSlashes.redirect;
    case SlashesAction.UNESCAPE_AND_FORWARD:
      return EscapedSlashes.forward;
    default:
      problems.invalid(path, 'is no known value');
      return EscapedSlashes.keep;
  }
}

/** Null where hosts go on as they come. */
export function hostRules(
  manager: HttpConnectionManager,
  path: string,
  problems: ProblemList,
): HostRules | null {
  const stripsAny = manager.stripPortMode?.value === true;
  if (stripsAny && manager.stripMatchingHostPort) {
    problems.invalid(`${path}.strip_any_host_port`, 'excludes strip_matching_host_port');
  }
  const stripsPort = stripsAny ? 'any' : manager.stripMatchingHostPort ? 'matching' : 'none';
  const stripsDot = manager.stripTrailingHostDot;
  return stripsPort === 'none' && !stripsDot ? null : { stripsPort, stripsDot };
}

/** The clients that count as internal: none without a configuration, as in Envoy since 1.40. */
export function internalRanges(
  manager: HttpConnectionManager,
  path: string,
  problems: ProblemList,
): InternalRange[] {
  const config = manager.internalAddressConfig;
  if (config?.unixSockets === true) problems.unsupported(`${path}.unix_sockets`);
  const ranges: InternalRange[] = [];
  for (const [index, { addressPrefix, prefixLen }] of (config?.cidrRanges ?? []).entries()) {
    const place = `${path}.cidr_ranges[${index}]`;
    const family = isIP(addressPrefix);
    const bits = prefixLen ?? 0;
    if (family === 0) problems.invalid(`${place}.address_prefix`, `"${addressPrefix}" is no IP address`);
    else if (bits > (family === 4 ? 32 : 128)) problems.invalid(`${place}.prefix_len`, `${bits} is too long`);
    else ranges.push({ address: addressPrefix, bits });
  }
  return ranges;
}

const clientCertModes: Readonly<Record<number, ClientCertMode>> = {
  [ForwardClientCert.SANITIZE]: 'sanitize',
  [ForwardClientCert.FORWARD_ONLY]: 'forward-only',
  [ForwardClientCert.APPEND_FORWARD]: 'append-forward',
  [ForwardClientCert.SANITIZE_SET]: 'sanitize-set',
  [ForwardClientCert.ALWAYS_FORWARD_ONLY]: 'always-forward-only',
};

/** What becomes of X-Forwarded-Client-Cert. Details count only for the modes that write it, as in Envoy. */
export function clientCert(
  manager: HttpConnectionManager,
  path: string,
  problems: ProblemList,
): HttpConfig['clientCert'] {
  const mode = clientCertModes[manager.forwardClientCertDetails];
  if (mode === undefined) problems.invalid(`${path}.forward_client_cert_details`, 'is no known value');
  const writes = mode === 'append-forward' || mode === 'sanitize-set';
  const details = writes ? manager.setCurrentClientCertDetails : undefined;
  return {
    mode: mode ?? 'sanitize',
    subject: details?.subject ?? false,
    cert: details?.cert ?? false,
    chain: details?.chain ?? false,
    uri: details?.uri ?? false,
    dns: details?.dns ?? false,
  };
}
