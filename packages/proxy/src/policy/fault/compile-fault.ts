import { assertNever } from '@heddle/base';
import type { FaultAbort, HTTPFault } from '@heddle/xds/api/envoy/extensions/filters/http/fault/v3/fault.ts';
import type { FaultDelay } from '@heddle/xds/api/envoy/extensions/filters/common/fault/v3/fault.ts';
import { durationMs } from '../../config/duration.ts';
import type { ProblemList } from '../../config/problem-list.ts';
import { compileFraction, compileHeader } from '../../routing/compile-matchers.ts';
import type { Fraction } from '../../routing/route-entry.ts';
import { abortReply, grpcAbortReply } from './abort-replies.ts';
import type { FaultConfig } from './fault-config.ts';

/** As in Envoy, an absent percentage is none. */
const never: Fraction = { numerator: 0, denominator: 100 };

/** Compiles an `HTTPFault`, which stands at `path`. Statistics per downstream cluster are not kept, whatever it says. */
export function compileFault(message: HTTPFault, path: string, problems: ProblemList): FaultConfig {
  return {
    delay: message.delay === undefined ? null : compileDelay(message.delay, `${path}.delay`, problems),
    abort: message.abort === undefined ? null : compileAbort(message.abort, `${path}.abort`, problems),
    upstreamCluster: message.upstreamCluster,
    headers: message.headers.flatMap(
      (header, index) => compileHeader(header, `${path}.headers[${index}]`, problems) ?? [],
    ),
    maxActive: message.maxActiveFaults ?? Infinity,
  };
}

function shareOf(percentage: FaultDelay['percentage'], path: string, problems: ProblemList): Fraction {
  if (percentage === undefined) return never;
  return compileFraction(percentage, `${path}.percentage`, problems) ?? never;
}

function compileDelay(message: FaultDelay, path: string, problems: ProblemList): FaultConfig['delay'] {
  const share = shareOf(message.percentage, path, problems);
  const specifier = message.faultDelaySecifier;
  if (specifier === undefined) {
    problems.invalid(path, 'needs one of fixed_delay, header_delay');
    return null;
  }
  if (specifier.$case === 'headerDelay') return { kind: 'header', share };
  const ms = durationMs(specifier.value, 0, `${path}.fixed_delay`, problems);
  if (ms <= 0) problems.invalid(`${path}.fixed_delay`, 'must be more than 0');
  return { kind: 'fixed', ms, share };
}

function compileAbort(message: FaultAbort, path: string, problems: ProblemList): FaultConfig['abort'] {
  const share = shareOf(message.percentage, path, problems);
  const type = message.errorType;
  if (type === undefined) {
    problems.invalid(path, 'needs one of http_status, grpc_status, header_abort');
    return null;
  }
  switch (type.$case) {
    case 'headerAbort':
      return { kind: 'header', share };
    case 'grpcStatus':
      return { kind: 'reply', reply: grpcAbortReply(type.value), share };
    case 'httpStatus':
      if (type.value < 200 || type.value > 599)
        problems.invalid(`${path}.http_status`, `${type.value} is not within 200 to 599`);
      return { kind: 'reply', reply: abortReply(type.value), share };
    default:
      return assertNever(type);
  }
}
