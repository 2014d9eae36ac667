// What the rules of an HTTP connection manager cost per request: paths, clients, certificates.
// Run: node benchmarks/micro/request-rules.ts
import { bench, run } from './harness.ts';
import { ClientAddress } from '../../packages/proxy/src/http/client-address.ts';
import {
  type ClientCertRules,
  clientCertElement,
  forwardedClientCert,
} from '../../packages/proxy/src/http/forwarded-client-cert.ts';
import { InternalAddresses } from '../../packages/proxy/src/http/internal-addresses.ts';
import { EscapedSlashes, NormalizedPath } from '../../packages/proxy/src/http/path-normalization.ts';

const normalized = new NormalizedPath();
const rules = { normalizes: true, mergesSlashes: true, escapedSlashes: EscapedSlashes.forward };

bench('a path with nothing to do', () => normalized.apply('/api/v1/products/1234/reviews?limit=10', rules));
bench('a path with dot segments', () => normalized.apply('/api/./v1/../v2/products//1234?limit=10', rules));
bench('a path with escapes', () => normalized.apply('/api/%7Euser/a%20b%2Fc?limit=10', rules));

const client = new ClientAddress();
const internal = new InternalAddresses([{ address: '10.0.0.0', bits: 8 }]);
const inner = { useRemoteAddress: false, trustedHops: 0, internal };
const edge = { useRemoteAddress: true, trustedHops: 2, internal };

bench('a client without X-Forwarded-For', () => client.resolve(null, '10.0.0.1', 1, inner));
bench('a client in X-Forwarded-For', () => client.resolve('10.1.2.3', '10.0.0.1', 1, inner));
bench('a client behind two trusted proxies', () =>
  client.resolve('203.0.113.128, 203.0.113.10, 203.0.113.1', '192.0.2.5', 1, edge));

const peer = {
  fingerprint: '0123456789abcdef'.repeat(4),
  subject: 'CN=client',
  uriSans: ['spiffe://cluster.local/ns/default/sa/productpage'],
  dnsSans: [],
  pem: '',
  chainPem: '',
};
const certRules: ClientCertRules = {
  mode: 'append-forward',
  subject: true,
  cert: false,
  chain: false,
  uri: true,
  dns: true,
  ownUris: ['spiffe://cluster.local/ns/default/sa/reviews'],
};
const element = clientCertElement(peer, certRules);

bench('X-Forwarded-Client-Cert of a connection', () => clientCertElement(peer, certRules));
bench('X-Forwarded-Client-Cert of a request', () =>
  forwardedClientCert('append-forward', 'By=spiffe://a;Hash=00', element));

await run();
