// What deciding about one request costs, with one id and with five hundred, exact or by pattern.
// Run: node benchmarks/micro/authorization.ts
import { bench, run } from './harness.ts';
import { compiled, rbacRequest, testConnection } from '../../packages/proxy/src/policy/rbac/rbac-harness.ts';

const id = (number: number): string => `spiffe://cluster.local/ns/default/sa/service-${number}`;
const exact = (number: number): object => ({ authenticated: { principal_name: { exact: id(number) } } });
const pattern = (number: number): object => ({
  authenticated: {
    principal_name: { safe_regex: { regex: `spiffe://.+/ns/default/(.+/|)sa/service-${number}(/.+)?` } },
  },
});

function decision(principals: readonly object[]): () => boolean {
  const permissions = [{ header: { name: ':method', string_match: { exact: 'GET' } } }];
  const rules = compiled({ rules: { policies: { client: { permissions, principals } } } }).rules!;
  const connection = testConnection({ peer: { uriSans: [id(principals.length - 1)] } });
  const request = rbacRequest({ path: '/productpage' });
  return () => rules.allows(rules.match(connection, request));
}

const numbers = Array.from({ length: 500 }, (_, number) => number);
bench('one id', decision([exact(0)]));
bench('500 ids', decision(numbers.map(exact)));
bench('100 patterns', decision(numbers.slice(0, 100).map(pattern)));

await run();
