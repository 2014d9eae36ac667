// One aggregated stream between a local client and the control plane. Secrets are answered here; all else is passed on as it came.
import { errorMessage } from '@heddle/base';
import {
  RpcCode,
  type RpcStatus,
  type RpcStream,
  type RpcStreamHandler,
  TypeUrl,
  unpackAny,
} from '@heddle/xds';
import { type DiscoveryDialect, responseTypeUrl, statusMessage } from './discovery-dialect.ts';
import { fieldOf, textOf } from './message-fields.ts';

const bundleName = 'ROOTCA';
/**
 * As much as may wait for a reader that has stopped reading. Both ends send one response of a type at a time and wait for its answer, so
 * that more than this is no misfortune.
 */
const maxWaitingBytes = 32 * 1024 * 1024;

export interface RelayEvents {
  /** The roots of the mesh (PEM), as the control plane has them now. */
  onTrustBundle(pem: string): void;
  /** The local client refused resources of this type. */
  onRefused(typeUrl: string, reason: string): void;
}

/** Bytes that one side was given since it said that it reads more slowly than they come. */
class Backlog {
  private bytes = 0;

  /** Whether there is room for more; `isRoomy` is what the side said of the last message. */
  note(size: number, isRoomy: boolean): boolean {
    this.bytes = isRoomy ? 0 : this.bytes + size;
    return this.bytes <= maxWaitingBytes;
  }

  clear(): void {
    this.bytes = 0;
  }
}

/** The stream's handler on the local client's side. */
export class RelayedStream implements RpcStreamHandler {
  private readonly client: RpcStream;
  private readonly dialect: DiscoveryDialect;
  private readonly events: RelayEvents;
  private readonly upstream: RpcStream;
  private readonly secrets: RpcStreamHandler;
  /** The client's node as a request of its own, once it has said it. */
  private node: Uint8Array | null = null;
  private hasTold = { upstream: false, secrets: false };
  private readonly towardsClient = new Backlog();
  private readonly towardsUpstream = new Backlog();
  private isOver = false;

  /** `openUpstream` calls the control plane; `openSecrets` opens a stream at the server of this machine's own secrets. */
  constructor(
    client: RpcStream,
    dialect: DiscoveryDialect,
    openUpstream: (handler: RpcStreamHandler) => RpcStream,
    openSecrets: (stream: RpcStream) => RpcStreamHandler,
    events: RelayEvents,
  ) {
    this.client = client;
    this.dialect = dialect;
    this.events = events;
    this.upstream = openUpstream({
      onMessage: (message) => this.fromUpstream(message),
      onHalfClose: () => undefined,
      onWritable: () => this.towardsUpstream.clear(),
      onEnd: (status) => this.close(status),
    });
    this.secrets = openSecrets({
      send: (message) => this.toClient(message),
      end: (status) => this.close(status ?? { code: RpcCode.unavailable, message: 'There are no secrets.' }),
      cancel: () => this.close({ code: RpcCode.unavailable, message: 'There are no secrets.' }),
    });
  }

  // RpcStreamHandler: what the local client says

  onMessage(message: Uint8Array): void {
    if (this.isOver) return;
    const { fields } = this.dialect;
    let typeUrl: string;
    try {
      const node = fieldOf(message, fields.node);
      if (node !== undefined && this.node === null) this.node = this.dialect.nodeOnly(node);
      typeUrl = textOf(message, fields.typeUrl);
      const error = fieldOf(message, fields.error);
      if (error !== undefined) this.events.onRefused(typeUrl, textOf(error, statusMessage));
    } catch (error) {
      const reason = `Not a discovery request: ${errorMessage(error)}`;
      this.close({ code: RpcCode.invalidArgument, message: reason });
      return;
    }
    if (typeUrl === TypeUrl.secret) this.secrets.onMessage(this.introduced(message, 'secrets'));
    else this.toUpstream(message);
  }

  onHalfClose(): void {
    this.upstream.end();
  }

  onWritable(): void {
    this.towardsClient.clear();
    this.secrets.onWritable();
  }

  onEnd(status: RpcStatus): void {
    if (this.isOver) return;
    this.isOver = true;
    this.upstream.cancel();
    this.secrets.onEnd(status);
  }

  /** Only the first request of a stream says who asks: what goes two ways is to say it on both. */
  private introduced(message: Uint8Array, way: 'upstream' | 'secrets'): Uint8Array {
    if (this.hasTold[way]) return message;
    this.hasTold[way] = true;
    const isSaid = fieldOf(message, this.dialect.fields.node) !== undefined;
    return isSaid || this.node === null ? message : Buffer.concat([message, this.node]);
  }

  private toUpstream(message: Uint8Array): void {
    const isFirst = !this.hasTold.upstream;
    this.sendUpstream(this.introduced(message, 'upstream'));
    // The roots may change while nothing else does; the client's own requests for secrets never get there.
    if (isFirst) this.sendUpstream(this.dialect.askFor(bundleName));
  }

  private sendUpstream(message: Uint8Array): void {
    if (this.towardsUpstream.note(message.length, this.upstream.send(message))) return;
    this.close({ code: RpcCode.resourceExhausted, message: 'The control plane does not read.' });
  }

  private fromUpstream(message: Uint8Array): void {
    if (this.isOver) return;
    try {
      if (textOf(message, responseTypeUrl) === TypeUrl.secret) this.takeRoots(message);
      else this.toClient(message);
    } catch (error) {
      const reason = `Not a discovery response: ${errorMessage(error)}`;
      this.close({ code: RpcCode.internal, message: reason });
    }
  }

  private takeRoots(message: Uint8Array): void {
    const { secrets, ack } = this.dialect.readSecrets(message, bundleName);
    for (const any of secrets) {
      const secret = unpackAny(any, TypeUrl.secret);
      if (!secret.ok || secret.value.name !== bundleName) continue;
      if (secret.value.type?.$case !== 'validationContext') continue;
      const roots = secret.value.type.value.trustedCa?.specifier;
      if (roots?.$case === 'inlineBytes')
        this.events.onTrustBundle(Buffer.from(roots.value).toString('ascii'));
      else if (roots?.$case === 'inlineString') this.events.onTrustBundle(roots.value);
    }
    this.sendUpstream(ack);
  }

  private toClient(message: Uint8Array): boolean {
    if (this.isOver) return true;
    const isRoomy = this.client.send(message);
    if (!this.towardsClient.note(message.length, isRoomy))
      this.close({ code: RpcCode.resourceExhausted, message: 'The client does not read.' });
    return isRoomy;
  }

  /** The client opens another stream by itself: that is how it hears of a control plane that is back. */
  private close(status: RpcStatus): void {
    if (this.isOver) return;
    this.isOver = true;
    this.upstream.cancel();
    this.client.end(
      status.code === RpcCode.ok
        ? { code: RpcCode.unavailable, message: 'The control plane has ended the stream.' }
        : status,
    );
    queueMicrotask(() => this.secrets.onEnd(status));
  }
}
