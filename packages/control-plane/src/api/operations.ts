/** What the API can be asked: the one list, from which its OpenAPI document is made. */
import type { ApiRole } from './types.ts';

/** A parameter in the query. */
interface QueryParameter {
  readonly name: string;
  readonly description: string;
  readonly type?: 'integer' | 'boolean';
}

export interface Operation {
  readonly method: 'get' | 'post' | 'delete';
  /** With `{name}` where something is put in. */
  readonly path: string;
  readonly summary: string;
  /** The least role that may ask for it; null for everybody. */
  readonly role: ApiRole | null;
  readonly query?: readonly QueryParameter[];
  /** Names of types in `types.ts`. */
  readonly request?: string;
  /** Absent where the answer has no body. */
  readonly response?: string;
  /** Of an answer that is no JSON. */
  readonly contentType?: string;
}

const namespace: QueryParameter = {
  name: 'namespace',
  description: 'Only of this namespace; of all where it is absent.',
};
export const operations: readonly Operation[] = [
  { method: 'get', path: '/healthz', summary: 'Whether it runs', role: null, contentType: 'text/plain' },
  { method: 'get', path: '/openapi.json', summary: 'This document', role: null, response: 'object' },
  {
    method: 'get',
    path: '/metrics',
    summary: "The control plane's metrics for Prometheus",
    role: 'viewer',
    contentType: 'text/plain',
  },
  {
    method: 'post',
    path: '/api/v1/login',
    summary: 'Start a session by a cookie',
    role: null,
    request: 'LoginRequest',
  },
  { method: 'post', path: '/api/v1/logout', summary: 'End the session', role: null },
  {
    method: 'get',
    path: '/api/v1/whoami',
    summary: 'Whose token it is and what it may do',
    role: 'viewer',
    response: 'WhoAmI',
  },
  {
    method: 'get',
    path: '/api/v1/status',
    summary: 'The control plane',
    role: 'viewer',
    response: 'StatusResponse',
  },
  {
    method: 'get',
    path: '/api/v1/services',
    summary: 'Services with their traffic',
    role: 'viewer',
    response: 'ServicesResponse',
  },
  {
    method: 'get',
    path: '/api/v1/endpoints',
    summary: 'Instances',
    role: 'viewer',
    query: [namespace],
    response: 'EndpointsResponse',
  },
  {
    method: 'get',
    path: '/api/v1/proxies',
    summary: 'Connected proxies and how far they are',
    role: 'viewer',
    response: 'ProxiesResponse',
  },
  {
    method: 'get',
    path: '/api/v1/certificates',
    summary: 'Certificates in use',
    role: 'viewer',
    response: 'CertificatesResponse',
  },
  {
    method: 'get',
    path: '/api/v1/traffic',
    summary: 'Traffic of the last minutes, by second',
    role: 'viewer',
    query: [
      { name: 'seconds', type: 'integer', description: 'How many, 1 to 3600; 300 where it is absent.' },
    ],
    response: 'TrafficResponse',
  },
  {
    method: 'get',
    path: '/api/v1/traffic/stream',
    summary: 'Server-sent events `traffic`, one each second, with a TrafficEvent',
    role: 'viewer',
    contentType: 'text/event-stream',
  },
  {
    method: 'get',
    path: '/api/v1/analysis',
    summary: 'What is wrong or doubtful about stored objects',
    role: 'viewer',
    query: [namespace],
    response: 'AnalysisResponse',
  },
  {
    method: 'get',
    path: '/api/v1/history',
    summary: 'Changes of the configuration, newest first',
    role: 'viewer',
    query: [
      { name: 'limit', type: 'integer', description: 'How many, 1 to 1000; 100 where it is absent.' },
      { name: 'kind', description: 'With name: only those of one object.' },
      { name: 'name', description: 'With kind.' },
      { name: 'namespace', description: 'Of the object; `default` where it is absent.' },
    ],
    response: 'HistoryResponse',
  },
  {
    method: 'get',
    path: '/api/v1/history/{revision}',
    summary: 'One change, with objects before and after',
    role: 'viewer',
    response: 'HistoryDetail',
  },
  {
    method: 'get',
    path: '/api/v1/resources/{plural}',
    summary: 'Stored objects of a kind',
    role: 'viewer',
    query: [namespace],
    response: 'ResourcesResponse',
  },
  {
    method: 'get',
    path: '/api/v1/resources/{plural}/{namespace}/{name}',
    summary: 'One stored object',
    role: 'viewer',
    response: 'ObjectWithStatus',
  },
  {
    method: 'post',
    path: '/api/v1/diff',
    summary: 'What applying or deleting would change',
    role: 'viewer',
    request: 'DiffRequest',
    response: 'DiffResponse',
  },
  {
    method: 'post',
    path: '/api/v1/apply',
    summary: 'Store objects, all or none',
    role: 'operator',
    request: 'ApplyRequest',
    response: 'ApplyResponse',
  },
  {
    method: 'post',
    path: '/api/v1/delete',
    summary: 'Delete objects, all or none',
    role: 'operator',
    request: 'DeleteRequest',
    response: 'DeleteResponse',
  },
  {
    method: 'post',
    path: '/api/v1/rollback',
    summary: 'Go back to an earlier revision',
    role: 'operator',
    request: 'RollbackRequest',
    response: 'RollbackResponse',
  },
  {
    method: 'get',
    path: '/api/v1/tokens',
    summary: 'Tokens, without their secrets',
    role: 'admin',
    response: 'TokensResponse',
  },
  {
    method: 'post',
    path: '/api/v1/tokens',
    summary: 'Make a token',
    role: 'admin',
    request: 'TokenRequest',
    response: 'TokenResponse',
  },
  { method: 'delete', path: '/api/v1/tokens/{id}', summary: 'Revoke a token', role: 'admin' },
];
