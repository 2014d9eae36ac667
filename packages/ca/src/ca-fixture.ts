/** What the tests of this package share. Tests only: nothing here is exported from the package. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, type Logger, type Result, silentLogger, systemClock } from '@heddle/base';
import { type SpiffeId, type TrustDomain, parseSpiffeId, parseTrustDomain } from '@heddle/identity';
import { CertificateAuthority } from './certificate-authority.ts';
import { ControlPlaneIdentity } from './control-plane-identity.ts';
import { Enrolment } from './enrolment.ts';
import { MemoryIssuanceLog } from './issuance-log.ts';
import { type JoinLimits, JoinServer } from './join-server.ts';
import { JoinTokens } from './join-tokens.ts';
import { openRoot } from './root-store.ts';
import type { ServiceBinding } from './service-binding.ts';
import { MemoryTokenStore } from './token-store.ts';

/** The value of a result that must be good. */
export function unwrap<T, E>(result: Result<T, E>): T {
  if (!result.ok) throw new Error('the result is an error', { cause: result.error });
  return result.value;
}

export const clusterLocal: TrustDomain = unwrap(parseTrustDomain('cluster.local'));
export const reviews: SpiffeId = unwrap(parseSpiffeId('spiffe://cluster.local/ns/default/sa/reviews'));

/** Runs OpenSSL and gives what it prints on standard output. */
export function openssl(input: string, ...args: readonly string[]): string {
  return execFileSync('openssl', [...args], { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
}

/** A directory that is removed with `dispose`. */
export class TemporaryDirectory {
  readonly path: string = mkdtempSync(join(tmpdir(), 'heddle-'));

  dispose(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** An authority over a root in `directory`. */
export async function openAuthority(
  directory: string,
  options: { readonly clock?: Clock; readonly leafTtlMs?: number; readonly log?: MemoryIssuanceLog } = {},
): Promise<CertificateAuthority> {
  const clock = options.clock ?? systemClock;
  const root = unwrap(await openRoot({ directory, trustDomain: clusterLocal, clock }));
  const log = options.log ?? new MemoryIssuanceLog();
  const ttl = options.leafTtlMs === undefined ? {} : { leafTtlMs: options.leafTtlMs };
  return CertificateAuthority.open({ root, clock, log, ...ttl });
}

/** Everything that lets sidecars join, on a port of the system's choice. */
export interface JoinStation {
  readonly authority: CertificateAuthority;
  readonly identity: ControlPlaneIdentity;
  readonly tokens: JoinTokens;
  /** What joins have bound so far. */
  readonly bindings: readonly ServiceBinding[];
  readonly server: JoinServer;
  readonly address: string;
  close(): Promise<void>;
}

/** Opens a join station over a root in `directory`. */
export async function openJoinStation(
  directory: string,
  options: {
    readonly clock?: Clock;
    readonly serverClock?: Clock;
    readonly logger?: Logger;
    readonly limits?: Partial<JoinLimits>;
  } = {},
): Promise<JoinStation> {
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? silentLogger;
  const authority = await openAuthority(directory, { clock });
  const names = { dnsNames: ['localhost'], addresses: ['127.0.0.1', '::1'] };
  const identity = unwrap(await ControlPlaneIdentity.open({ authority, names, clock, logger }));
  const tokens = new JoinTokens(new MemoryTokenStore(), clock);
  const bindings: ServiceBinding[] = [];
  const enrolment = new Enrolment({
    authority,
    tokens,
    xdsAddress: (reached) => `${reached}:15012`,
    bindService: async (binding) => void bindings.push(binding),
    logger,
  });
  const server = unwrap(
    await JoinServer.open({
      host: '127.0.0.1',
      port: 0,
      authority,
      identity,
      enrolment,
      clock: options.serverClock ?? clock,
      limits: options.limits ?? {},
      logger,
    }),
  );
  return {
    authority,
    identity,
    tokens,
    bindings,
    server,
    address: `127.0.0.1:${server.address.port}`,
    close: async () => {
      identity.close();
      await server.close();
    },
  };
}
