// Hot path: one object per exchange; a request costs the fields that are its own, as a rule its id.
import type { RequestIds } from '@heddle/telemetry';
import { FieldId } from '../codec/field-name.ts';
import { type FieldFilter, createFieldFilter } from '../codec/field-filter.ts';
import { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import { fieldNameCache } from '../codec/name-cache.ts';
import type { RequestHeadView } from '../codec/message-view.ts';
import type { RequestView } from '../routing/request-view.ts';
import type { Connection, PeerCertificate } from '../transport/transport.ts';
import { ClientAddress } from './client-address.ts';
import { clientCertElement, forwardedClientCert } from './forwarded-client-cert.ts';
import { type HostRules, normalizedHost } from './host-normalization.ts';
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
  /** It has no Host: 400. */
  noHost: 4,
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
  /** Fields that the rules add and, once it is known where the request goes, what the route makes of them. */
  readonly added = new FieldList();
  /** The caller's own timeout (`x-envoy-upstream-rq-timeout-ms`), -1 for the route's. */
  timeoutMs = -1;
  /** The upstream is told that trailers are read (`TE: trailers`). */
  acceptsTrailers = false;
  /** Host goes on in another form than it came in. */
  rewritesHost = false;
  /**
   * Lower-case names of fields that came empty and are written anew, and once it is known where the request goes of those
   * that the route takes away; null, as nearly always, for none.
   */
  replaced: readonly string[] | null = null;

  private readonly normalized = new NormalizedPath();
  private head: RequestHeadView | null = null;
  private filters: RequestFilters | null = null;
  private certificateRules: RequestRules | null = null;
  private certificatePeer: PeerCertificate | null = null;
  private certificateElement = '';
  /** What is said of the last peer's address. */
  private forwardedFor = noField;
  private externalAddress = noField;

  /** Applies the rules to the next request, which came over `connection`. Returns an `Admission`. */
  admit(head: RequestHeadView, connection: Connection, rules: RequestRules, requestIds: RequestIds): number {
    this.head = head;
    this.method = head.method;
    this.path = head.path;
    this.authority = head.authority;
    this.rewritesHost = head.replacesHost;
    this.filters = rules.forExternal;
    this.added.clear();
    this.requestId = '';
    this.scheme = rules.scheme;
    this.timeoutMs = -1;
    this.replaced = null;
    this.acceptsTrailers = head.acceptsTrailers;
    if (head.lacksHost) return Admission.noHost;
    if (head.hasFragment) return Admission.badPath;
    const isConnect = head.method === 'CONNECT';
    if (!isConnect && head.path.charCodeAt(0) !== 0x2f) return Admission.noPath;
    if (rules.path !== null && !isConnect) {
      const verdict = this.normalized.apply(head.path, rules.path);
      if (verdict === PathVerdict.rejected) return Admission.badPath;
      this.path = this.normalized.path;
      if (verdict === PathVerdict.redirected) return Admission.redirected;
    }
    if (rules.host !== null) this.normalizeHost(head, connection, rules.host, isConnect);
    this.resolveClient(head, connection, rules);
    this.addFields(head, connection, rules, requestIds);
    return Admission.admitted;
  }

  /** Goes on as another request, which the proxy has made of this one: nothing of it is hidden. */
  resume(head: RequestHeadView, scheme: string): void {
    this.head = head;
    this.method = head.method;
    this.path = head.path;
    this.authority = head.authority;
    this.scheme = scheme;
    this.rewritesHost = false;
    this.filters = ownFilters;
    this.added.clear();
    this.timeoutMs = -1;
    this.replaced = null;
  }

  /** Forgets the last request. */
  forget(): void {
    this.head = null;
    this.filters = null;
    this.added.clear();
    this.path = '';
    this.authority = '';
    this.requestId = '';
    this.client.address = '';
  }

  /** A field as the upstream will see it before the route's changes: joined with `,`, null where it is absent. */
  header(lowerCaseName: string): string | null {
    const added = this.added.value(lowerCaseName);
    if (added !== null) return added;
    return this.passes(lowerCaseName) ? this.head!.header(lowerCaseName) : null;
  }

  headerValue(lowerCaseName: string, index: number): string | null {
    const added = this.added.value(lowerCaseName);
    if (added !== null) return index === 0 ? added : null;
    return this.passes(lowerCaseName) ? this.head!.headerValue(lowerCaseName, index) : null;
  }

  /** Whether fields of this name go on as the client sent them: what doesn't must not decide anything either. */
  private passes(lowerCaseName: string): boolean {
    const { head, filters } = this;
    if (head === null || filters === null || filters.hidden.has(lowerCaseName)) return false;
    if (this.replaced?.includes(lowerCaseName) === true) return false;
    return !head.isNominated(lowerCaseName);
  }

  /** What goes upstream in the end, for the logs. */
  onForwarded(path: string, authority: string, replaced: readonly string[] | null): void {
    this.replaced = replaced;
    this.path = path;
    this.authority = authority;
  }

  /** Which fields of the head go on. */
  fieldFilter(rewritesHost: boolean): FieldFilter {
    const filters = this.filters!;
    return rewritesHost || this.rewritesHost ? filters.withNewHost : filters.asItCame;
  }

  private normalizeHost(
    head: RequestHeadView,
    connection: Connection,
    rules: HostRules,
    isConnect: boolean,
  ): void {
    const host = normalizedHost(head.authority, connection.localPort, isConnect, rules);
    if (host === head.authority) return;
    this.authority = host;
    this.rewritesHost = true;
  }

  private resolveClient(head: RequestHeadView, connection: Connection, rules: RequestRules): void {
    const { client } = this;
    const { remoteAddress } = connection;
    const forwardedFor = head.joinedById(FieldId.forwardedFor);
    client.resolve(forwardedFor, remoteAddress, connection.remotePort, rules.addresses);
    if (client.isInternal) this.filters = rules.forInternal;
    else if (client.isEdge) this.filters = rules.forEdge;
    if (client.isInternal) this.readTimeout(head);
    if (!rules.appendsForwardedFor) return;
    const peer = rules.ownAddress !== '' && isLoopback(remoteAddress) ? rules.ownAddress : remoteAddress;
    const value = forwardedFor === null || forwardedFor === '' ? peer : `${forwardedFor},${peer}`;
    if (this.forwardedFor.value !== value) this.forwardedFor = new Field('x-forwarded-for', value);
    this.added.add(this.forwardedFor);
  }

  private readTimeout(head: RequestHeadView): void {
    const value = head.valueById(FieldId.upstreamRequestTimeout);
    if (value !== '' && milliseconds.test(value)) this.timeoutMs = Number(value);
  }

  private addFields(
    head: RequestHeadView,
    connection: Connection,
    rules: RequestRules,
    requestIds: RequestIds,
  ): void {
    const { added, client } = this;
    const { useRemoteAddress, trustedHops } = rules.addresses;
    const isFirst = useRemoteAddress && trustedHops === 0;
    const forwardedProto = isFirst ? null : head.joinedById(FieldId.forwardedProto);
    if (forwardedProto === null || forwardedProto === '') {
      if (forwardedProto !== null) this.replace('x-forwarded-proto');
      added.add(rules.forwardedProtoField);
    } else {
      this.scheme = schemeOf(forwardedProto, rules.scheme);
    }
    if (
      rules.addsForwardedPort &&
      useRemoteAddress &&
      (isFirst || head.valueById(FieldId.forwardedPort) === '')
    ) {
      added.add(new Field('x-forwarded-port', String(connection.localPort)));
    }
    if (client.isInternal) added.add(internalField);
    else if (client.isEdge) {
      if (this.externalAddress.value !== client.address)
        this.externalAddress = new Field('x-envoy-external-address', client.address);
      added.add(this.externalAddress);
    }
    if (rules.via !== '') {
      const earlier = head.joinedById(FieldId.via);
      const via = earlier === null || earlier === '' ? rules.via : `${earlier}, ${rules.via}`;
      added.add(new Field('via', via));
    }
    this.addRequestId(head, rules, requestIds);
    this.addClientCert(head, connection, rules);
  }

  private addRequestId(head: RequestHeadView, rules: RequestRules, requestIds: RequestIds): void {
    const received = head.joinedById(FieldId.requestId);
    if (!rules.generatesRequestId) {
      this.requestId = received ?? '';
      return;
    }
    const { isEdge } = this.client;
    if (received === null || received === '' || (isEdge && !rules.preservesRequestId)) {
      if (received === '') this.replace('x-request-id');
      this.requestId = requestIds.next();
    } else if (isEdge) {
      // A tracing decision of somebody outside (the 15th character) is not taken over.
      const isUuid = received.length === uuidLength;
      this.requestId = isUuid ? `${received.slice(0, 14)}4${received.slice(15)}` : received;
    } else {
      this.requestId = received;
      return;
    }
    this.added.add(new Field(requestIdName, this.requestId));
  }

  /** Sends `field` on in the place of those of its name that came. */
  replaceBy(field: Field): void {
    this.replace(field.name);
    this.added.add(field);
  }

  /** Leaves out the fields of this name that came. */
  remove(name: string): void {
    this.replace(name);
    this.added.remove(name);
  }

  private replace(name: string): void {
    this.replaced = this.replaced === null ? [name] : [...this.replaced, name];
  }

  private addClientCert(head: RequestHeadView, connection: Connection, rules: RequestRules): void {
    const { mode } = rules.clientCert;
    const peer = connection.tls?.peer ?? null;
    // `always-forward-only` leaves the field where it is.
    if (mode === 'sanitize' || mode === 'always-forward-only' || peer === null) return;
    if (this.certificateRules !== rules || this.certificatePeer !== peer) {
      this.certificateRules = rules;
      this.certificatePeer = peer;
      this.certificateElement = clientCertElement(peer, rules.clientCert);
    }
    const received = mode === 'sanitize-set' ? null : head.joinedById(FieldId.forwardedClientCert);
    const value = forwardedClientCert(mode, received, this.certificateElement);
    if (value !== '') this.added.add(new Field('x-forwarded-client-cert', value));
  }
}

/** Of requests that the proxy has made itself. */
const ownFilters: RequestFilters = {
  asItCame: createFieldFilter([]),
  withNewHost: createFieldFilter([FieldId.host]),
  hidden: new Set(),
};
const requestIdName = fieldNameCache.of('x-request-id');
const noField = new Field('', '');
const internalField = new Field('x-envoy-internal', 'true');
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
