// Hot path: the functions made here run per logged request.
import { hostname } from 'node:os';
import { nearestName, type Problem } from '@heddle/base';
import type { AccessLogEntry, HeaderSource, LoggedCertificate } from './access-log-entry.ts';
import { grpcStatusName } from './grpc-status-name.ts';
import { compileTimeFormat, isoTimeFormatter, type TimeFormatter } from './time-format.ts';

/**
 * What an operator reads: a number (-1 for none) or a string (empty for none), unescaped. Header fields come from `headers`:
 * of a finished request the entry itself.
 */
export type Operator =
  | { readonly kind: 'number'; readonly read: (entry: AccessLogEntry) => number }
  | { readonly kind: 'string'; readonly read: StringReader }
  /** A string that is never missing, empty or not. */
  | { readonly kind: 'text'; readonly read: StringReader };

type StringReader = (entry: AccessLogEntry, headers: HeaderSource) => string;

/** An operator as written: `%NAME(parameter):maxLength%`. */
export interface OperatorCall {
  readonly name: string;
  /** Null where there are no parentheses. */
  readonly parameter: string | null;
  /** -1 where there is none. */
  readonly maxLength: number;
}

function withoutPort(address: string): string {
  const colon = address.lastIndexOf(':');
  // As Envoy writes them, IPv6 addresses lose their brackets with the port.
  return colon < 0 ? address : address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
}

function portOf(address: string): string {
  const colon = address.lastIndexOf(':');
  return colon < 0 ? '' : address.slice(colon + 1);
}

function peerOf(entry: AccessLogEntry): LoggedCertificate | null {
  return entry.downstreamTls === null ? null : entry.downstreamTls.peer;
}

const hostName = hostname();

const numbers: Readonly<Record<string, (entry: AccessLogEntry) => number>> = {
  BYTES_RECEIVED: (entry) => entry.bytesReceived,
  BYTES_SENT: (entry) => entry.bytesSent,
  DURATION: (entry) => Math.trunc(entry.durationMs),
  GRPC_STATUS_NUMBER: (entry) => entry.grpcStatus,
  RESPONSE_CODE: (entry) => entry.responseCode,
  UPSTREAM_REQUEST_ATTEMPT_COUNT: (entry) => entry.upstreamAttempts,
};

const strings: Readonly<Record<string, StringReader>> = {
  CONNECTION_TERMINATION_DETAILS: (entry) => entry.connectionTerminationDetails,
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: (entry) => entry.downstreamDirectRemoteAddress,
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: (entry) => withoutPort(entry.downstreamDirectRemoteAddress),
  DOWNSTREAM_LOCAL_ADDRESS: (entry) => entry.downstreamLocalAddress,
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: (entry) => withoutPort(entry.downstreamLocalAddress),
  DOWNSTREAM_LOCAL_PORT: (entry) => portOf(entry.downstreamLocalAddress),
  DOWNSTREAM_PEER_DNS_SAN: (entry) => peerOf(entry)?.dnsSans.join(',') ?? '',
  DOWNSTREAM_PEER_FINGERPRINT_256: (entry) => peerOf(entry)?.fingerprint ?? '',
  DOWNSTREAM_PEER_ISSUER: (entry) => peerOf(entry)?.issuer ?? '',
  DOWNSTREAM_PEER_SERIAL: (entry) => peerOf(entry)?.serial ?? '',
  DOWNSTREAM_PEER_SUBJECT: (entry) => peerOf(entry)?.subject ?? '',
  DOWNSTREAM_PEER_URI_SAN: (entry) => entry.downstreamPeerUriSan,
  DOWNSTREAM_REMOTE_ADDRESS: (entry) => entry.downstreamRemoteAddress,
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: (entry) => withoutPort(entry.downstreamRemoteAddress),
  DOWNSTREAM_REMOTE_PORT: (entry) => portOf(entry.downstreamRemoteAddress),
  DOWNSTREAM_TLS_CIPHER: (entry) => entry.downstreamTls?.cipher ?? '',
  DOWNSTREAM_TLS_VERSION: (entry) => entry.downstreamTls?.version ?? '',
  HOSTNAME: () => hostName,
  PROTOCOL: (entry) => entry.protocol,
  REQUESTED_SERVER_NAME: (entry) => entry.requestedServerName,
  RESPONSE_CODE_DETAILS: (entry) => entry.responseCodeDetails,
  RESPONSE_FLAGS: (entry) => entry.responseFlags,
  ROUTE_NAME: (entry) => entry.routeName,
  UPSTREAM_CLUSTER: (entry) => entry.upstreamCluster,
  UPSTREAM_CLUSTER_RAW: (entry) => entry.upstreamCluster,
  UPSTREAM_HOST: (entry) => entry.upstreamHost,
  UPSTREAM_LOCAL_ADDRESS: (entry) => entry.upstreamLocalAddress,
  UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: (entry) => withoutPort(entry.upstreamLocalAddress),
  UPSTREAM_LOCAL_PORT: (entry) => portOf(entry.upstreamLocalAddress),
  UPSTREAM_REMOTE_ADDRESS: (entry) => entry.upstreamHost,
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: (entry) => withoutPort(entry.upstreamHost),
  UPSTREAM_REMOTE_PORT: (entry) => portOf(entry.upstreamHost),
  UPSTREAM_TRANSPORT_FAILURE_REASON: (entry) => entry.upstreamTransportFailureReason,
};

const texts: Readonly<Record<string, StringReader>> = {
  LOCAL_REPLY_BODY: (entry) => entry.localReplyBody ?? '',
};

const withParameter = ['REQ', 'RESP', 'START_TIME', 'GRPC_STATUS', 'ENVIRONMENT'];
const known = [...Object.keys(numbers), ...Object.keys(strings), ...Object.keys(texts), ...withParameter];

/** Resolves an operator, or says why it can't be. */
export function resolveOperator(
  call: OperatorCall,
  problem: (message: string, hint?: string) => Problem,
): Operator | Problem {
  const { name, parameter } = call;
  if (name === 'REQ' || name === 'RESP') return headerOperator(call, problem);
  if (name === 'START_TIME') return startTime(parameter, problem);
  if (name === 'ENVIRONMENT') return environment(call, problem);
  if (name === 'GRPC_STATUS') return grpcStatus(parameter, problem);
  const number = Object.hasOwn(numbers, name) ? numbers[name] : undefined;
  const string = Object.hasOwn(strings, name) ? strings[name] : undefined;
  const text = Object.hasOwn(texts, name) ? texts[name] : undefined;
  if (number === undefined && string === undefined && text === undefined) {
    const nearest = nearestName(name, known);
    const hint = nearest === undefined ? undefined : `did you mean %${nearest}%?`;
    return problem(`the format operator %${name}% is not supported`, hint);
  }
  if (parameter !== null) return problem(`the format operator %${name}% takes no parameter`);
  if (number !== undefined) return { kind: 'number', read: number };
  if (text !== undefined) return { kind: 'text', read: truncated(text, call.maxLength) };
  return { kind: 'string', read: truncated(string!, call.maxLength) };
}

function startTime(parameter: string | null, problem: (message: string) => Problem): Operator | Problem {
  const format: TimeFormatter | { readonly unknown: string } =
    parameter === null || parameter === '' ? isoTimeFormatter() : compileTimeFormat(parameter);
  if (typeof format !== 'function') {
    return problem(`time directive ${format.unknown} of %START_TIME% is not supported`);
  }
  return { kind: 'string', read: (entry) => format(entry.startTimeMs) };
}

function grpcStatus(parameter: string | null, problem: (message: string) => Problem): Operator | Problem {
  switch (parameter) {
    case null:
    case '':
    case 'CAMEL_STRING':
      return { kind: 'string', read: (entry) => grpcStatusName(entry.grpcStatus, 'camel-case') };
    case 'SNAKE_STRING':
      return { kind: 'string', read: (entry) => grpcStatusName(entry.grpcStatus, 'snake-case') };
    case 'NUMBER':
      return { kind: 'number', read: (entry) => entry.grpcStatus };
    default:
      return problem('%GRPC_STATUS% takes CAMEL_STRING, SNAKE_STRING or NUMBER in parentheses');
  }
}

/** `REQ(X?Y):Z`: header X, else Y, at most Z characters. */
function headerOperator(call: OperatorCall, problem: (message: string) => Problem): Operator | Problem {
  const names = (call.parameter ?? '').toLowerCase().split('?');
  const [first, second] = names;
  if (first === undefined || names.length > 2 || names.some((name) => name === '' || /[\s%]/.test(name))) {
    return problem(
      `%${call.name}% needs a header name, or two with a question mark between them, in parentheses`,
    );
  }
  return {
    kind: 'string',
    read: truncated(headerReader(call.name === 'REQ', first, second), call.maxLength),
  };
}

function headerReader(isRequest: boolean, first: string, second: string | undefined): StringReader {
  if (isRequest) {
    if (second === undefined) return (_, headers) => headers.requestHeader(first) ?? '';
    return (_, headers) => headers.requestHeader(first) ?? headers.requestHeader(second) ?? '';
  }
  if (second === undefined) return (_, headers) => headers.responseHeader(first) ?? '';
  return (_, headers) => headers.responseHeader(first) ?? headers.responseHeader(second) ?? '';
}

/** `ENVIRONMENT(X)`: the variable X of the proxy's environment, as it is when the format is read. */
function environment(call: OperatorCall, problem: (message: string) => Problem): Operator | Problem {
  if (call.parameter === null || call.parameter === '')
    return problem('%ENVIRONMENT% needs the name of a variable in parentheses');
  const value = process.env[call.parameter] ?? '';
  return { kind: 'string', read: truncated(() => value, call.maxLength) };
}

function truncated(read: StringReader, maxLength: number): StringReader {
  return maxLength < 0 ? read : (entry, headers) => read(entry, headers).slice(0, maxLength);
}
