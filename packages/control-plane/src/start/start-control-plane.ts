/** Starts a control plane as `heddle up` runs it: store directory, certificate authority, xDS, joining, API. */
import { rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import {
  HeddleError,
  silentLogger,
  systemClock,
  systemRandom,
  type Clock,
  type Logger,
  type Random,
  type Result,
} from '@heddle/base';
import {
  CertificateAuthority,
  ControlPlaneIdentity,
  Enrolment,
  JoinServer,
  JoinTokens,
  openRoot,
  type Root,
} from '@heddle/ca';
import { parseTrustDomain, writeFileAtomically } from '@heddle/identity';
import { Authenticator } from '../api/authenticator.ts';
import { hostForUrl } from '../api/loopback.ts';
import { startApiServer } from '../api/server.ts';
import type { TokenRequest, TokenResponse } from '../api/types.ts';
import { createBackend } from '../core/api-backend.ts';
import { ControlPlane } from '../core/control-plane.ts';
import { SqliteInstanceStore } from '../instances/sqlite-instance-store.ts';
import { startGrpcServer } from '../rpc/grpc-server.ts';
import { SqliteCredentialStore } from '../store/credential-store.ts';
import { jsonFetcher } from '../oidc/fetch-json.ts';
import { OidcTokens, type OidcOptions } from '../oidc/oidc-tokens.ts';
import { SqliteTokenStore } from '../store/join-token-store.ts';
import { SqliteIssuanceLog } from '../store/sqlite-issuance-log.ts';
import { SqliteServiceBindings } from '../store/sqlite-service-bindings.ts';
import { openDatastore, type DatastoreOptions } from './datastore.ts';
import { joinTokenMaker } from './join-token-maker.ts';
import { reachableAddress, serverAddresses } from './reachable-address.ts';
import { openStoreDirectory, storeFiles, type StoreDirectory } from './store-directory.ts';
import { ensureAdminToken, ensureLocalToken } from './token-files.ts';

export interface StartOptions {
  /** Made where it is missing. */
  readonly storeDirectory: string;
  /** Where the configuration is; default in the store directory. */
  readonly datastore?: DatastoreOptions;
  /** Where joining and xDS listen; default 127.0.0.1. */
  readonly bindAddress?: string;
  /** Where the API listens: loopback; default 127.0.0.1. */
  readonly apiAddress?: string;
  /** Default 15080; 0 for any. */
  readonly apiPort?: number;
  /** Default 15012; 0 for any. */
  readonly xdsPort?: number;
  /** Default 15011; 0 for any. */
  readonly joinPort?: number;
  /** Fixed when the store is made; default cluster.local. */
  readonly trustDomain?: string;
  /** The dashboard's built files. */
  readonly dashboardDirectory?: string;
  /** People whom others vouch for; absent: nobody. */
  readonly oidc?: OidcOptions;
  readonly version?: string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  /** How long workloads' certificates are good; default 24 hours. */
  readonly leafTtlMs?: number;
}

/** `host:port` each. */
export interface ControlPlaneAddresses {
  readonly api: string;
  readonly xds: string;
  readonly join: string;
}

export interface RunningControlPlane {
  readonly addresses: ControlPlaneAddresses;
  /** Where others reach the join listener, for messages to people. */
  readonly joinAddress: string;
  /** The first start's dashboard token, to be printed this once; null later. */
  readonly dashboardToken: string | null;
  /** Makes one more dashboard token. */
  createDashboardToken(): string;
  createJoinToken(request: TokenRequest): Promise<TokenResponse>;
  /** Ends in order; sidecars go on with what they have. Idempotent. */
  close(): Promise<void>;
}

const defaultPorts = { api: 15_080, xds: 15_012, join: 15_011 };

function unwrap<T>(result: Result<T, HeddleError>): T {
  if (result.ok) return result.value;
  throw result.error;
}

/**
 * Starts the control plane. Rejects with a `HeddleError` whose message is one sentence for the user: `HEDDLE_STORE_…`,
 * `HEDDLE_CA_…`, `HEDDLE_PORT_IN_USE`, `HEDDLE_LISTEN_FAILED`, `HEDDLE_API_NOT_LOOPBACK`, `HEDDLE_TRUST_DOMAIN_INVALID`.
 * What was opened before the failure is closed again.
 */
export async function startControlPlane(options: StartOptions): Promise<RunningControlPlane> {
  const cleanup = new Cleanup();
  try {
    return await start(options, cleanup);
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

/** What has been opened, closed in reverse order. */
class Cleanup {
  private readonly actions: (() => void | Promise<void>)[] = [];
  private done: Promise<void> | null = null;

  add(action: () => void | Promise<void>): void {
    this.actions.push(action);
  }

  run(): Promise<void> {
    this.done ??= this.runAll();
    return this.done;
  }

  private async runAll(): Promise<void> {
    for (const action of this.actions.toReversed()) await action();
  }
}

async function start(options: StartOptions, cleanup: Cleanup): Promise<RunningControlPlane> {
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? silentLogger;
  const random = options.random ?? systemRandom;
  const bindAddress = options.bindAddress ?? '127.0.0.1';
  const store = openStoreDirectory(options.storeDirectory);
  cleanup.add(() => store.close());
  const around = { directory: store, clock, random, logger };
  const datastore = await openDatastore(options.datastore ?? { type: 'sqlite' }, around);
  cleanup.add(() => datastore.close());
  const { config: configStore, shared } = datastore;
  const makeRoot = async (): Promise<void> => void (await openRootOf(options, clock));
  await shared?.shareRoot(rootDirectoryOf(options), makeRoot);
  const log = new SqliteIssuanceLog(store.instances, store.instancesPath);
  const root = await openRootOf(options, clock);
  const ttl = options.leafTtlMs === undefined ? {} : { leafTtlMs: options.leafTtlMs };
  const authority = await CertificateAuthority.open({ root, clock, log, ...ttl });
  const issuer = issuerOf(authority, root);
  const identity = unwrap(
    await ControlPlaneIdentity.open({
      authority,
      names: { dnsNames: ['localhost'], addresses: serverAddresses(bindAddress) },
      clock,
      random,
      logger,
    }),
  );
  cleanup.add(() => identity.close());
  const instanceStore = shared?.instances ?? new SqliteInstanceStore(store.instances, store.instancesPath);
  const bindings =
    shared?.bindings ?? new SqliteServiceBindings(store.configuration, store.configurationPath);
  const controlPlane = await ControlPlane.open({
    clock,
    logger,
    configStore,
    instanceStore,
    bindings,
    issuer,
  });
  const xds = await startGrpcServer({
    address: bindAddress,
    port: options.xdsPort ?? defaultPorts.xds,
    methods: controlPlane.methods,
    clock,
    logger,
    identity: () => identity.certificate,
    onIdentityChange: (listener) => identity.onChange(listener),
    bundle: () => authority.bundle,
  });
  // Streams are told before their connections go.
  cleanup.add(() => xds.close());
  cleanup.add(() => controlPlane.close());

  const tokenStore = shared?.tokens ?? new SqliteTokenStore(store.configuration, store.configurationPath);
  const tokens = new JoinTokens(tokenStore, clock);
  const xdsPort = portOf(xds.address);
  const enrolment = new Enrolment({
    authority,
    tokens,
    xdsAddress: (reached) =>
      [`${hostForUrl(ipv4Of(reached))}:${xdsPort}`, ...(shared?.otherControlPlanes() ?? [])].join(),
    bindService: (binding) => bindings.add(binding),
    logger,
  });
  await shared?.announce(`${hostForUrl(reachableAddress(bindAddress))}:${xdsPort}`);
  const joinPort = options.joinPort ?? defaultPorts.join;
  const joining = unwrap(
    await JoinServer.open({
      host: bindAddress,
      port: joinPort,
      authority,
      identity,
      enrolment,
      clock,
      logger,
    }),
  );
  cleanup.add(() => joining.close());
  const join = `${hostForUrl(joining.address.host)}:${joining.address.port}`;
  const joinAddress = `${hostForUrl(reachableAddress(bindAddress))}:${joining.address.port}`;

  const oidc =
    options.oidc === undefined
      ? null
      : new OidcTokens(options.oidc, jsonFetcher(options.oidc.ca), clock, logger);
  const authenticator = new Authenticator(new SqliteCredentialStore(store.configuration), clock, oidc);
  const createJoinToken = joinTokenMaker(
    tokens,
    () => authority.bundle,
    () => joinAddress,
  );
  let apiAddress = '';
  const backend = createBackend({
    controlPlane,
    clock,
    version: options.version ?? '0.1.0',
    issuer,
    addresses: () => ({ apiAddress, xdsAddress: xds.address, joinAddress: join }),
    issued: () => log.list(clock.now()),
    createJoinToken,
    joinTokens: tokens,
  });
  const api = await startApiServer({
    backend,
    authenticator,
    clock,
    logger,
    ...(options.dashboardDirectory === undefined ? {} : { dashboardDirectory: options.dashboardDirectory }),
    address: options.apiAddress ?? '127.0.0.1',
    port: options.apiPort ?? defaultPorts.api,
  });
  cleanup.add(() => api.close());
  apiAddress = api.address;

  await ensureAdminToken(store.path, authenticator);
  await ensureLocalToken(store.path, tokens, authority.bundle);
  const createDashboardToken = (): string => authenticator.createToken({ kind: 'dashboard', role: 'admin' });
  const dashboardToken = authenticator.has('dashboard') ? null : createDashboardToken();
  const addresses = { api: api.address, xds: xds.address, join };
  await announce(store, addresses, cleanup);
  logger.info('Control plane started', { ...addresses, trustDomain: authority.trustDomain });
  return {
    addresses,
    joinAddress,
    dashboardToken,
    createDashboardToken,
    createJoinToken,
    close: () => cleanup.run(),
  };
}

function rootDirectoryOf({ storeDirectory }: StartOptions): string {
  return join(storeDirectory, storeFiles.certificateAuthority);
}

async function openRootOf(options: StartOptions, clock: Clock): Promise<Root> {
  const trustDomain = parseTrustDomain(options.trustDomain ?? 'cluster.local');
  if (!trustDomain.ok) {
    const reason = trustDomain.error[0]?.message ?? 'it is not valid';
    throw new HeddleError('HEDDLE_TRUST_DOMAIN_INVALID', `This is no name for a trust domain: ${reason}.`);
  }
  const directory = rootDirectoryOf(options);
  return unwrap(await openRoot({ directory, trustDomain: trustDomain.value, clock }));
}

/** The authority as the core sees it. */
function issuerOf(authority: CertificateAuthority, root: Root) {
  return {
    trustDomain: authority.trustDomain,
    bundlePem: authority.bundle.pem,
    rootNotAfterMs: root.certificate.notAfterMs,
    issueWorkload: authority.issueWorkload.bind(authority),
  };
}

/** Says in the store where this control plane is, until it ends in order. */
async function announce(
  store: StoreDirectory,
  addresses: ControlPlaneAddresses,
  cleanup: Cleanup,
): Promise<void> {
  const path = join(store.path, storeFiles.controlPlane);
  const content = {
    pid: process.pid,
    apiAddress: addresses.api,
    xdsAddress: addresses.xds,
    joinAddress: addresses.join,
  };
  await writeFileAtomically(path, `${JSON.stringify(content)}\n`);
  cleanup.add(() => rm(path, { force: true }));
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

/** A socket that listens on `::` shows IPv4 peers' addresses of ours as `::ffff:…`. */
function ipv4Of(address: string): string {
  const mapped = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  return isIP(mapped) === 4 ? mapped : address;
}
