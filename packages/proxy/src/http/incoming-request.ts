// Hot path: one object per connection; a request costs the lines that are added to it, as one string.
import { newRequestId } from '@heddle/telemetry';
import type { Random } from '@heddle/base';
import { FieldId } from '../codec/field-name.ts';
import { type FieldFilter, isNominated } from '../http1/head-writer.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { RequestView } from '../routing/request-view.ts';
import type { Connection } from '../transport/transport.ts';
import { ClientAddress } from './client-address.ts';
import { clientCertElement, forwardedClientCert } from './forwarded-client-cert.ts';
import { lineValue } from './header-lines.ts';
import { normalizedHost } from './host-normalization.ts';
import { NormalizedPath, PathVerdict } from './path-normalization.ts';
import type { RequestFilters, RequestRules } from './request-rules.ts';

/** What the rules make of a request. */
export const Admission = {
  /** It may be routed. */
  admitted: 0,
  /** Its path is none that we take: 400. */
  badPath: 1,
  /** It has a better path, in `path`: 307. */
  redirected: 2,
  /** Its target is no path (`OPTIONS *`): 404. */
  noPath: 3,
} as const;

const uuidLength = 36;

/**
 * A request as routes, logs and the upstream see it: the head that came, without the fields that its sender may not set,
 * and with the lines that the connection manager adds. What is routed is what is forwarded.
 */
export class IncomingRequest implements RequestView {
  readonly client = new ClientAddress();
  method = '';
  path = '';
  authority = '';
  scheme = 'http';
  /** Empty for none. */
  requestId = '';
  /** Field lines that the rules add, each ended by CRLF. */
  lines = '';
  /** The caller's own timeout (`x-envoy-upstream-rq-timeout-ms`), -1 for the route's. */
  timeoutMs = -1;
  /** Host goes on in another form than it came in. */
  rewritesHost = false;
  /** Lower-case names of fields that came empty and are written anew; null, as nearly always, for none. */
  replaced: string[] | null = null;

  private readonly connection: Connection;
  private readonly normalized = new NormalizedPath();
  private head: RequestHead | null = null;
  private filters: RequestFilters | null = null;
  private certificateRules: RequestRules | null = null;
  private certificateElement = '';

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** Applies the rules to the next request. Returns an `Admission`. */
  admit(head: RequestHead, rules: RequestRules, random: Random): number {
    this.head = head;
    this.method = head.method;
    this.path = head.path;
    this.authority = head.authority;
    this.rewritesHost = head.replacesHost;
    this.filters = rules.forExternal;
    this.lines = '';
    this.requestId = '';
    this.scheme = rules.scheme;
    this.timeoutMs = -1;
    this.replaced = null;
    const isConnect = head.method === 'CONNECT';
    if (!isConnect && head.path.charCodeAt(0) !== 0x2f) return Admission.noPath;
    if (rules.path !== null && !isConnect) {
      const verdict = this.normalized.apply(head.path, rules.path);
      if (verdict === PathVerdict.rejected) return Admission.badPath;
      this.path = this.normalized.path;
      if (verdict === PathVerdict.redirected) return Admission.redirected;
    }
    if (rules.host !== null) this.normalizeHost(head, rules, isConnect);
    this.resolveClient(head, rules);
    this.addLines(head, rules, random);
    return Admission.admitted;
  }

  /** Forgets the last request. */
  forget(): void {
    this.head = null;
    this.filters = null;
    this.lines = '';
    this.path = '';
    this.authority = '';
    this.requestId = '';
    this.client.address = '';
  }

  /** A field as the upstream will see it before the route's changes: joined with `,`, null where it is absent. */
  header(lowerCaseName: string): string | null {
    const added = lineValue(this.lines, lowerCaseName);
    if (added !== null) return added;
    return this.passes(lowerCaseName) ? this.head!.header(lowerCaseName) : null;
  }

  headerValue(lowerCaseName: string, index: number): string | null {
    const added = lineValue(this.lines, lowerCaseName);
    if (added !== null) return index === 0 ? added : null;
    return this.passes(lowerCaseName) ? this.head!.headerValue(lowerCaseName, index) : null;
  }

  /** Whether fields of this name go on as the client sent them: what doesn't must not decide anything either. */
  private passes(lowerCaseName: string): boolean {
    const { head, filters } = this;
    if (head === null || filters === null || filters.hidden.has(lowerCaseName)) return false;
    return !isNominated(head, lowerCaseName);
  }

  /** What goes upstream in the end, for the logs: `lines` and `path` with what the route made of them. */
  onForwarded(lines: string, path: string, authority: string): void {
    this.lines = lines;
    this.path = path;
    this.authority = authority;
  }

  /** Which fields of the head go on. */
  fieldFilter(rewritesHost: boolean): FieldFilter {
    const filters = this.filters!;
    return rewritesHost || this.rewritesHost ? filters.withNewHost : filters.asItCame;
  }

  private normalizeHost(head: RequestHead, rules: RequestRules, isConnect: boolean): void {
    const host = normalizedHost(head.authority, this.connection.localPort, isConnect, rules.host!);
    if (host === head.authority) return;
    this.authority = host;
    this.rewritesHost = true;
  }

  private resolveClient(head: RequestHead, rules: RequestRules): void {
    const { client, connection } = this;
    const forwardedFor = head.joinedById(FieldId.forwardedFor);
    client.resolve(forwardedFor, connection.remoteAddress, connection.remotePort, rules.addresses);
    if (client.isInternal) this.filters = rules.forInternal;
    else if (client.isEdge) this.filters = rules.forEdge;
    if (client.isInternal) this.readTimeout(head);
    if (!rules.appendsForwardedFor) return;
    const peer =
      rules.ownAddress !== '' && isLoopback(connection.remoteAddress)
        ? rules.ownAddress
        : connection.remoteAddress;
    const earlier = forwardedFor === null || forwardedFor === '' ? '' : `${forwardedFor},`;
    this.lines = `x-forwarded-for: ${earlier}${peer}\r\n`;
  }

  private readTimeout(head: RequestHead): void {
    const value = head.valueById(FieldId.upstreamRequestTimeout);
    if (value !== '' && milliseconds.test(value)) this.timeoutMs = Number(value);
  }

  private addLines(head: RequestHead, rules: RequestRules, random: Random): void {
    const { useRemoteAddress, trustedHops } = rules.addresses;
    const isFirst = useRemoteAddress && trustedHops === 0;
    const forwardedProto = isFirst ? null : head.joinedById(FieldId.forwardedProto);
    let lines = this.lines;
    if (forwardedProto === null || forwardedProto === '') {
      if (forwardedProto !== null) this.replace('x-forwarded-proto');
      lines += `x-forwarded-proto: ${rules.scheme}\r\n`;
    } else {
      this.scheme = schemeOf(forwardedProto, rules.scheme);
    }
    if (
      rules.addsForwardedPort &&
      useRemoteAddress &&
      (isFirst || head.valueById(FieldId.forwardedPort) === '')
    ) {
      lines += `x-forwarded-port: ${this.connection.localPort}\r\n`;
    }
    if (this.client.isInternal) lines += 'x-envoy-internal: true\r\n';
    else if (this.client.isEdge) lines += `x-envoy-external-address: ${this.client.address}\r\n`;
    if (rules.via !== '') {
      const earlier = head.joinedById(FieldId.via);
      lines +=
        earlier === null || earlier === '' ? `via: ${rules.via}\r\n` : `via: ${earlier}, ${rules.via}\r\n`;
    }
    this.lines = lines + this.requestIdLine(head, rules, random) + this.clientCertLine(head, rules);
  }

  private requestIdLine(head: RequestHead, rules: RequestRules, random: Random): string {
    const received = head.joinedById(FieldId.requestId);
    if (!rules.generatesRequestId) {
      this.requestId = received ?? '';
      return '';
    }
    const isEdge = this.client.isEdge;
    if (received === null || received === '' || (isEdge && !rules.preservesRequestId)) {
      if (received === '') this.replace('x-request-id');
      this.requestId = newRequestId(random);
      return `x-request-id: ${this.requestId}\r\n`;
    }
    if (!isEdge) {
      this.requestId = received;
      return '';
    }
    // A tracing decision of somebody outside (the 15th character) is not taken over.
    const isUuid = received.length === uuidLength;
    this.requestId = isUuid ? `${received.slice(0, 14)}4${received.slice(15)}` : received;
    return `x-request-id: ${this.requestId}\r\n`;
  }

  private replace(name: string): void {
    this.replaced ??= [];
    this.replaced.push(name);
  }

  private clientCertLine(head: RequestHead, rules: RequestRules): string {
    const { mode } = rules.clientCert;
    const peer = this.connection.tls?.peer ?? null;
    // `always-forward-only` leaves the field where it is.
    if (mode === 'sanitize' || mode === 'always-forward-only' || peer === null) return '';
    if (this.certificateRules !== rules) {
      this.certificateRules = rules;
      this.certificateElement = clientCertElement(peer, rules.clientCert);
    }
    const received = mode === 'sanitize-set' ? null : head.joinedById(FieldId.forwardedClientCert);
    const value = forwardedClientCert(mode, received, this.certificateElement);
    return value === '' ? '' : `x-forwarded-client-cert: ${value}\r\n`;
  }
}

const milliseconds = /^\d{1,9}$/;

/** The scheme that `X-Forwarded-Proto` names, or `otherwise` where that is none of ours. */
function schemeOf(forwardedProto: string, otherwise: string): string {
  if (forwardedProto === 'https' || forwardedProto === 'http') return forwardedProto;
  const scheme = forwardedProto.toLowerCase();
  return scheme === 'https' || scheme === 'http' ? scheme : otherwise;
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.');
}
