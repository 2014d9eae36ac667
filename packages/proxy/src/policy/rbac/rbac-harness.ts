// For tests: policies in Envoy's JSON, and connections and requests that they decide about.
import assert from 'node:assert/strict';
import { formatProblem } from '@heddle/base';
import { type MessageOf, TypeUrl, decodeMessage, messageNameOf } from '@heddle/xds';
import { messageFromJson } from '@heddle/xds/json';
import { ProblemList } from '../../config/problem-list.ts';
import { type TestRequest, testRequest } from '../../routing/request-view-harness.ts';
import type { Connection, PeerCertificate } from '../../transport/transport.ts';
import { compileHttpRbac } from './compile-rbac.ts';
import type { RbacConfig } from './rbac-config.ts';
import type { RbacRequest } from './rbac-matcher.ts';

type HttpRbac = MessageOf<typeof TypeUrl.httpRbac>;

/** Reads an RBAC filter's configuration as a file has it; what is wrong with it otherwise. */
export function readRbac(json: object): HttpRbac | string[] {
  const bytes = messageFromJson(messageNameOf(TypeUrl.httpRbac), json);
  if (!bytes.ok) return bytes.error.map(formatProblem);
  const message = decodeMessage(TypeUrl.httpRbac, bytes.value);
  assert.ok(message.ok);
  return message.value.message;
}

/** The problems of a configuration, `path: message` each. */
export function problemsOf(json: object): string[] {
  const message = readRbac(json);
  if (Array.isArray(message)) return message;
  const problems = new ProblemList();
  compileHttpRbac(message, 'rbac', problems);
  return problems.problems.map(({ path, message: text }) => `${path}: ${text}`);
}

/** Compiles what has no problems. */
export function compiled(json: object): RbacConfig {
  const message = readRbac(json);
  assert.ok(!Array.isArray(message), JSON.stringify(message));
  const problems = new ProblemList();
  const config = compileHttpRbac(message, 'rbac', problems);
  assert.deepEqual(problems.problems, []);
  return config;
}

/** What a test's peer shows; null for nothing over TLS. */
export type TestPeer = Partial<Pick<PeerCertificate, 'uriSans' | 'dnsSans' | 'subject'>> | null;

export interface TestConnection extends Partial<
  Pick<
    Connection,
    'remoteAddress' | 'directRemoteAddress' | 'localAddress' | 'localPort' | 'inspectedServerName'
  >
> {
  /** Absent for a plain connection. */
  readonly peer?: TestPeer;
  readonly serverName?: string;
}

/** A connection of which policies see nothing else. */
export function testConnection({ peer, serverName = '', ...parts }: TestConnection = {}): Connection {
  const certificate =
    peer === undefined || peer === null ? null : { uriSans: [], dnsSans: [], subject: '', ...peer };
  const connection = {
    remoteAddress: '10.0.0.1',
    directRemoteAddress: '10.0.0.1',
    localAddress: '10.0.0.2',
    localPort: 8080,
    inspectedServerName: '',
    tls: peer === undefined ? null : { serverName, peer: certificate },
    ...parts,
  };
  return connection as unknown as Connection;
}

export function rbacRequest(parts: TestRequest = {}, clientAddress = '192.0.2.1'): RbacRequest {
  return { ...testRequest(parts), client: { address: clientAddress } };
}

/** Whether `rules` with one policy that has these permissions and principals match. */
export function isMatch(
  policy: { readonly permission?: object; readonly principal?: object },
  connection: TestConnection = {},
  request: TestRequest = {},
  clientAddress?: string,
): boolean {
  const { permission = { any: true }, principal = { any: true } } = policy;
  const { rules } = compiled({
    rules: { policies: { p: { permissions: [permission], principals: [principal] } } },
  });
  return rules!.match(testConnection(connection), rbacRequest(request, clientAddress)) !== null;
}
