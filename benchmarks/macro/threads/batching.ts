// Passing resources from one thread to another: encoded, in batches, compiled there in slices.
import type { ReceivedResource, ResourceSink } from '@heddle/xds';
import type { ConfigStore } from '../../../packages/proxy/src/config/config-store.ts';
import { decodeResource, isKnownTypeUrl } from '@heddle/xds';
import type { EndpointPool } from '../../../packages/proxy/src/cluster/endpoint.ts';
import type { Batch } from './messages.ts';

const batchBytes = 65_536;

/** Checks each resource by decoding it and sends it on as it came. */
export class ForwardingSink implements ResourceSink {
  private readonly post: (batch: Batch) => void;
  private typeUrl = '';
  private held: ReceivedResource[] = [];
  private heldBytes = 0;

  constructor(post: (batch: Batch) => void) {
    this.post = post;
  }

  apply(typeUrl: string, resource: ReceivedResource): string | null {
    if (!isKnownTypeUrl(typeUrl)) return `${typeUrl} is not known`;
    const decoded = decodeResource(typeUrl, resource.bytes);
    if (!decoded.ok) return decoded.error.map((problem) => problem.message).join('; ');
    if (typeUrl !== this.typeUrl) this.flush();
    this.typeUrl = typeUrl;
    this.held.push(resource);
    this.heldBytes += resource.bytes.length;
    if (this.heldBytes >= batchBytes) this.flush();
    return null;
  }

  remove(): void {
    // Nothing goes in this measurement.
  }

  commit(): void {
    this.flush();
  }

  private flush(): void {
    if (this.held.length === 0) return;
    this.post({
      kind: 'batch',
      typeUrl: this.typeUrl,
      names: this.held.map((one) => one.name),
      versions: this.held.map((one) => one.version),
      // Copies: a part of the received message would take the whole of it along.
      bytes: this.held.map((one) => Uint8Array.from(one.bytes)),
    });
    this.held = [];
    this.heldBytes = 0;
  }
}

/** Compiles batches as they come, for at most a millisecond at a time. */
export class SlicedCompiler {
  compiled = 0;
  private readonly store: ConfigStore<EndpointPool>;
  private readonly queue: Batch[] = [];
  private position = 0;
  /** The resource under way. */
  private steps: Generator<undefined, string | null> | null = null;
  private isScheduled = false;

  constructor(store: ConfigStore<EndpointPool>) {
    this.store = store;
  }

  get isBusy(): boolean {
    return this.queue.length > 0;
  }

  push(batch: Batch): void {
    this.queue.push(batch);
    this.schedule();
  }

  private begin(batch: Batch): Generator<undefined, string | null> {
    const name = batch.names[this.position]!;
    const version = batch.versions[this.position]!;
    const bytes = batch.bytes[this.position]!;
    return this.store.applySteps(batch.typeUrl, { name, version, bytes });
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setTimeout(() => {
      this.isScheduled = false;
      this.slice();
    }, 0);
  }

  private slice(): void {
    const end = performance.now() + 1;
    for (let batch = this.queue[0]; batch !== undefined; batch = this.queue[0]) {
      while (this.position < batch.names.length) {
        const step = (this.steps ??= this.begin(batch)).next();
        if (step.done === true) {
          this.steps = null;
          this.position++;
          this.compiled++;
        }
        if (performance.now() >= end) {
          this.schedule();
          return;
        }
      }
      this.store.commit(batch.typeUrl);
      this.queue.shift();
      this.position = 0;
    }
  }
}
