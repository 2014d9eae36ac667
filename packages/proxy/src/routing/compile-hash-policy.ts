import type { RouteAction_HashPolicy as HashPolicyMessage } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import type { ProblemList } from '../config/problem-list.ts';
import { HashPolicy, type HashSource } from './hash-policy.ts';
import { isHeaderName } from './header-syntax.ts';

/** Compiles `hash_policy`, which stands at `path`; null where there is none. */
export function compileHashPolicy(
  messages: readonly HashPolicyMessage[],
  path: string,
  problems: ProblemList,
): HashPolicy | null {
  const sources = messages.flatMap(
    (message, index) => compileSource(message, `${path}[${index}]`, problems) ?? [],
  );
  return sources.length === 0 ? null : new HashPolicy(sources);
}

function compileSource(
  { policySpecifier, terminal: isTerminal }: HashPolicyMessage,
  path: string,
  problems: ProblemList,
): HashSource | null {
  switch (policySpecifier?.$case) {
    case 'header': {
      const name = policySpecifier.value.headerName.toLowerCase();
      if (!isHeaderName(name.replace(/^:/, '')))
        problems.invalid(`${path}.header.header_name`, `"${name}" is no header name`);
      return { kind: 'header', name, isTerminal };
    }
    case 'cookie':
      if (policySpecifier.value.name === '') problems.invalid(`${path}.cookie.name`, 'must not be empty');
      return { kind: 'cookie', name: policySpecifier.value.name, isTerminal };
    case 'connectionProperties':
      return policySpecifier.value.sourceIp ? { kind: 'source-ip', name: '', isTerminal } : null;
    case 'queryParameter':
      if (policySpecifier.value.name === '')
        problems.invalid(`${path}.query_parameter.name`, 'must not be empty');
      return { kind: 'query-parameter', name: policySpecifier.value.name, isTerminal };
    default:
      problems.invalid(path, 'needs one of header, cookie, connection_properties, query_parameter');
      return null;
  }
}
