import { type Socket, connect as connectPlain, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Clock, HeddleError, type Result, err, errorMessage, ok, systemErrorCode } from '@heddle/base';
import { createCertificateRequest } from './certificate-request.ts';
import { certificateSha256, parseCertificates } from './certificate.ts';
import { IdentityStore } from './identity-store.ts';
import { acceptIssuedCertificate } from './issued-certificate.ts';
import { type HttpAnswer, exchange } from './join-exchange.ts';
import { type JoinToken, parseJoinToken } from './join-token.ts';
import type { JoinOptions } from './join.ts';
import { generateKeyPair } from './key-pair.ts';
import { controlPlaneSpiffeId, parseTrustDomainUri, workloadSpiffeId } from './spiffe-id.ts';
import { type TrustBundle, parseTrustBundle, trustBundleOf, trustBundles } from './trust-bundle.ts';
import { verifyPeer } from './verify-peer.ts';
import { WorkloadIdentity } from './workload-identity.ts';

interface Target {
  readonly host: string;
  readonly port: number;
  /** As the user wrote it, for messages and the `host` header. */
  readonly text: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

interface JoinAnswer {
  readonly certificateChain: string;
  readonly root: string;
  readonly trustDomain: string;
  readonly xdsAddress: string;
}

const defaultTimeoutMs = 10_000;

function fail(
  code: string,
  message: string,
  cause?: unknown,
): { readonly ok: false; readonly error: HeddleError } {
  return err(new HeddleError(code, message, { cause }));
}

function unreachable(target: Target, reason: string): { readonly ok: false; readonly error: HeddleError } {
  return fail(
    'HEDDLE_CONTROL_PLANE_UNREACHABLE',
    `The control plane at ${target.text} cannot be reached: ${reason}.`,
  );
}

function untrusted(target: Target, reason: string): { readonly ok: false; readonly error: HeddleError } {
  const message = `The server at ${target.text} is not the control plane that the join token is for (${reason}); the token was not sent.`;
  return fail('HEDDLE_CONTROL_PLANE_UNTRUSTED', message);
}

function parseTarget(options: JoinOptions): Result<Target, HeddleError> {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(options.joinAddress);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port >= 1 && port <= 65_535)) {
    return fail(
      'HEDDLE_JOIN_ADDRESS_INVALID',
      `The control plane's join address must be of the form host:port.`,
    );
  }
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  return ok({ host, port, text: options.joinAddress, clock: options.clock, timeoutMs });
}

const networkFailures = new Map([
  ['ECONNREFUSED', 'nothing listens there'],
  ['ENOTFOUND', 'there is no such host'],
  ['ECONNRESET', 'it reset the connection'],
]);

/** Why a socket was never ready. */
interface ConnectFailure {
  /** False where the other end spoke, but not as our control plane would. */
  readonly isNetwork: boolean;
  readonly reason: string;
}

function connectFailure(error: unknown): ConnectFailure {
  const code = systemErrorCode(error);
  // OpenSSL's codes are words (`DEPTH_ZERO_SELF_SIGNED_CERT`) or start with `ERR_`; the system's are `E…`.
  const isNetwork = /^E(?!RR_|PROTO)[A-Z0-9]+$/.test(code);
  return { isNetwork, reason: networkFailures.get(code) ?? (code || errorMessage(error)) };
}

/** Waits for a socket to be ready for the first byte; null when it is. */
function established(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  target: Target,
): Promise<ConnectFailure | null> {
  const { promise, resolve } = Promise.withResolvers<ConnectFailure | null>();
  const timer = target.clock.setTimer(target.timeoutMs, () =>
    resolve({ isNetwork: true, reason: `no answer within ${target.timeoutMs} ms` }),
  );
  socket.once(event, () => resolve(null));
  socket.once('error', (error) => resolve(connectFailure(error)));
  socket.once('close', () => resolve({ isNetwork: true, reason: 'it closed the connection' }));
  return promise.finally(() => timer.cancel());
}

/** Fetches the roots in the open. Anybody may see them, and nothing is believed before the hash has been compared. */
async function fetchRoots(target: Target): Promise<Result<string, HeddleError>> {
  const socket = connectPlain({ host: target.host, port: target.port });
  const failure = await established(socket, 'connect', target);
  if (failure !== null) {
    socket.destroy();
    return unreachable(target, failure.reason);
  }
  const request = `GET /ca/root.pem HTTP/1.1\r\nhost: ${target.text}\r\nconnection: close\r\n\r\n`;
  const answer = await exchange(socket, request, target.clock, target.timeoutMs);
  if (!answer.ok) return unreachable(target, answer.error);
  if (answer.value.status !== 200) {
    return unreachable(target, `it answers ${answer.value.status} where the root certificate should be`);
  }
  return ok(answer.value.body);
}

/** The bundle of the one root that the token names, found among those that were served. */
function pinnedBundle(target: Target, token: JoinToken, pem: string): Result<TrustBundle, HeddleError> {
  const roots = parseCertificates(pem);
  const root = roots.ok
    ? roots.value.find((candidate) => certificateSha256(candidate).toString('base64url') === token.rootSha256)
    : undefined;
  if (root === undefined) {
    const message = `The server at ${target.text} has another root certificate than the one that the join token is for; the token was not sent.`;
    return fail('HEDDLE_JOIN_ROOT_MISMATCH', message);
  }
  const [uri = ''] = root.extensions.uriNames;
  const trustDomain = parseTrustDomainUri(uri);
  const bundle = trustDomain.ok ? trustBundleOf(trustDomain.value, [root]) : trustDomain;
  return bundle.ok ? bundle : untrusted(target, bundle.error[0]?.message ?? 'its root is unusable');
}

/** Posts over TLS, after the server has proven to be the control plane of the pinned root's trust domain. */
async function post(
  target: Target,
  pinned: TrustBundle,
  body: string,
): Promise<Result<HttpAnswer, HeddleError>> {
  const socket = connectTls({
    host: target.host,
    port: target.port,
    // TLS forbids addresses as server names (RFC 6066 §3).
    ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
    ca: pinned.pem,
    minVersion: 'TLSv1.3',
    // The control plane proves a SPIFFE id and no host name; `verifyPeer` compares it below, before anything is sent.
    checkServerIdentity: () => undefined,
  });
  const failure = await established(socket, 'secureConnect', target);
  if (failure !== null) {
    socket.destroy();
    return failure.isNetwork ? unreachable(target, failure.reason) : untrusted(target, failure.reason);
  }
  const peer = verifyPeer(socket, trustBundles(pinned), 'server', target.clock);
  const expected = controlPlaneSpiffeId(pinned.trustDomain);
  if (!peer.ok || peer.value.id !== expected) {
    socket.destroy();
    return untrusted(target, peer.ok ? `it is ${peer.value.id}` : peer.error.detail);
  }
  const head = [
    'POST /v1/join HTTP/1.1',
    `host: ${target.text}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  const answer = await exchange(
    socket,
    `${head.join('\r\n')}\r\n\r\n${body}`,
    target.clock,
    target.timeoutMs,
  );
  return answer.ok ? answer : unreachable(target, answer.error);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function stringField(object: unknown, name: string): string | null {
  if (typeof object !== 'object' || object === null) return null;
  const value: unknown = Reflect.get(object, name);
  return typeof value === 'string' ? value : null;
}

/** The control plane's own sentence where it gave one with a code of ours. */
function refusal(target: Target, answer: HttpAnswer): { readonly ok: false; readonly error: HeddleError } {
  const body = parseJson(answer.body);
  const error: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'error') : null;
  const code = stringField(error, 'code');
  const message = stringField(error, 'message');
  if (code === null || message === null || !/^HEDDLE_[A-Z_]{1,60}$/.test(code)) {
    return fail(
      'HEDDLE_JOIN_REFUSED',
      `The control plane at ${target.text} refuses to let this workload join (status ${answer.status}).`,
    );
  }
  return fail(code, message.replace(/[^\x20-\x7e]/g, ' ').slice(0, 400));
}

function parseJoinAnswer(target: Target, answer: HttpAnswer): Result<JoinAnswer, HeddleError> {
  if (answer.status !== 200) return refusal(target, answer);
  const body = parseJson(answer.body);
  const certificateChain = stringField(body, 'certificateChain');
  const root = stringField(body, 'root');
  const trustDomain = stringField(body, 'trustDomain');
  const xdsAddress = stringField(body, 'xdsAddress');
  if (certificateChain === null || root === null || trustDomain === null || xdsAddress === null) {
    return fail(
      'HEDDLE_JOIN_ANSWER_INVALID',
      `The control plane at ${target.text} sends an answer that is not understood.`,
    );
  }
  return ok({ certificateChain, root, trustDomain, xdsAddress });
}

/** Joins; see `joinMesh`, which loads this module. */
export async function join(options: JoinOptions): Promise<Result<WorkloadIdentity, HeddleError>> {
  const token = parseJoinToken(options.joinToken);
  if (!token.ok) return token;
  const target = parseTarget(options);
  if (!target.ok) return target;
  const roots = await fetchRoots(target.value);
  if (!roots.ok) return roots;
  const pinned = pinnedBundle(target.value, token.value, roots.value);
  if (!pinned.ok) return pinned;
  return enrol(options, target.value, token.value, pinned.value);
}

/** The second half, with the control plane's root known. */
async function enrol(
  options: JoinOptions,
  target: Target,
  token: JoinToken,
  pinned: TrustBundle,
): Promise<Result<WorkloadIdentity, HeddleError>> {
  const { namespace, serviceAccount, service } = options;
  const id = workloadSpiffeId({ trustDomain: pinned.trustDomain, namespace, serviceAccount });
  if (!id.ok) return fail('HEDDLE_SPIFFE_ID_INVALID', `The identity is not valid: ${id.error[0]?.message}.`);
  const key = generateKeyPair();
  const csr = createCertificateRequest(key, id.value);
  const posted = await post(
    target,
    pinned,
    JSON.stringify({ token: token.credential(), csr, namespace, serviceAccount, service }),
  );
  if (!posted.ok) return posted;
  const answer = parseJoinAnswer(target, posted.value);
  if (!answer.ok) return answer;
  const bundle = parseTrustBundle(pinned.trustDomain, answer.value.root);
  const hasPinned =
    bundle.ok && bundle.value.roots.some((root) => root.x509.raw.equals(pinned.roots[0]!.x509.raw));
  if (!bundle.ok || !hasPinned || answer.value.trustDomain !== pinned.trustDomain) {
    return fail(
      'HEDDLE_JOIN_ANSWER_INVALID',
      `The control plane at ${target.text} sends a trust bundle without its own root.`,
    );
  }
  const { certificateChain, xdsAddress } = answer.value;
  const certificate = acceptIssuedCertificate(
    key,
    id.value,
    certificateChain,
    bundle.value,
    options.clock.now(),
  );
  if (!certificate.ok) {
    return fail(
      'HEDDLE_CERTIFICATE_REFUSED',
      `The certificate authority's answer is refused: ${certificate.error[0]?.message}.`,
    );
  }
  try {
    await new IdentityStore(options.stateDirectory).write({
      privateKey: certificate.value.privateKey,
      certificateChain: certificate.value.certificateChain,
      bundle: bundle.value.pem,
      xdsAddress,
    });
  } catch (error) {
    const reason = systemErrorCode(error) || errorMessage(error);
    return fail(
      'HEDDLE_IDENTITY_NOT_STORED',
      `The identity cannot be stored in ${options.stateDirectory}: ${reason}.`,
      error,
    );
  }
  return ok(new WorkloadIdentity(options, id.value, xdsAddress, certificate.value, bundle.value));
}
