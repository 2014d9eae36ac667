import type { ReceivedResource, ResourceSink } from '@heddle/xds';
import type { ThreadCommand } from './thread-command.ts';

/** Hands on what the main thread's configuration has taken, for the other threads. */
export class MirroringSink implements ResourceSink {
  private readonly inner: ResourceSink & Required<Pick<ResourceSink, 'applySteps'>>;
  private readonly post: (command: ThreadCommand) => void;

  constructor(
    inner: ResourceSink & Required<Pick<ResourceSink, 'applySteps'>>,
    post: (command: ThreadCommand) => void,
  ) {
    this.inner = inner;
    this.post = post;
  }

  apply(typeUrl: string, resource: ReceivedResource): string | null {
    const refused = this.inner.apply(typeUrl, resource);
    if (refused === null) this.mirror(typeUrl, resource);
    return refused;
  }

  *applySteps(typeUrl: string, resource: ReceivedResource): Generator<unknown, string | null> {
    const steps = this.inner.applySteps(typeUrl, resource);
    for (;;) {
      const step = steps.next();
      if (step.done !== true) {
        yield step.value;
        continue;
      }
      if (step.value === null) this.mirror(typeUrl, resource);
      return step.value;
    }
  }

  remove(typeUrl: string, name: string): void {
    this.inner.remove(typeUrl, name);
    this.post({ type: 'remove', typeUrl, name });
  }

  commit(typeUrl: string): ReadonlyMap<string, string> | void {
    const refused = this.inner.commit(typeUrl);
    this.post({ type: 'commit', typeUrl });
    return refused;
  }

  private mirror(typeUrl: string, { name, bytes }: ReceivedResource): void {
    this.post({ type: 'apply', typeUrl, name, bytes });
  }
}
