/** The API in front of a control plane's core in memory, asked without sockets. */
import assert from 'node:assert/strict';
import { silentLogger } from '@heddle/base';
import type { VirtualClock } from '@heddle/testkit';
import { createBackend } from '../../core/api-backend.ts';
import { MemoryCredentialStore } from '../../store/credential-store.ts';
import { makeMeshWorld, type MeshWorld } from '../../testing/mesh-world.ts';
import { createApi, type Api } from '../app.ts';
import { Authenticator, type NewToken } from '../authenticator.ts';

const host = '127.0.0.1:15080';
const origin = `http://${host}`;

export interface ApiWorld {
  readonly app: Api;
  readonly mesh: MeshWorld;
  readonly authenticator: Authenticator;
  readonly credentials: MemoryCredentialStore;
  readonly clock: VirtualClock;
  readonly token: (role: NewToken['role'], more?: Partial<NewToken>) => string;
  /** Asks with a token; a body makes it a POST. */
  readonly ask: (token: string, path: string, body?: unknown, method?: string) => Promise<Response>;
}

export async function makeApiWorld(): Promise<ApiWorld> {
  const mesh = await makeMeshWorld();
  const { clock, controlPlane } = mesh;
  const credentials = new MemoryCredentialStore();
  const authenticator = new Authenticator(credentials, clock);
  const backend = createBackend({
    controlPlane,
    clock,
    version: '0.1.0',
    issuer: {
      trustDomain: 'cluster.local',
      bundlePem: '',
      rootNotAfterMs: 0,
      issueWorkload: () => assert.fail(),
    },
    addresses: () => ({ apiAddress: 'a:1', xdsAddress: 'b:2', joinAddress: 'c:3' }),
    issued: async () => [],
    createJoinToken: async () => ({ token: 'join' }),
    joinTokens: {
      list: async () => [
        {
          id: 'join1',
          secretSha256: 'hash of it',
          createdAtMs: 1,
          expiresAtMs: null,
          usesLeft: 1,
          namespace: null,
          serviceAccount: null,
        },
      ],
      revoke: async (id) => id === 'join1',
    },
  });
  const app = createApi({ backend, authenticator, clock, logger: silentLogger });
  return {
    app,
    mesh,
    authenticator,
    credentials,
    clock,
    token: (role, more) => authenticator.createToken({ kind: 'api', role, subject: `a ${role}`, ...more }),
    ask: async (token, path, body, method) =>
      await app.request(`/api/v1/${path}`, {
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: { host, origin, authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
  };
}

/** A DestinationRule, as a request to apply, to delete or to compare it. */
export function ruleRequest(name: string, namespace: string): { files: object[]; namespace: string } {
  const text = JSON.stringify({
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name, namespace },
    spec: { host: 'reviews' },
  });
  return { files: [{ name: 'a.yaml', text }], namespace: 'default' };
}
