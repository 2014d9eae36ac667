/** Where resources are asked for by name; the xDS client is one. */
export interface Subscriber {
  subscribe(typeUrl: string, names: Iterable<string>): void;
  unsubscribe(typeUrl: string, names: Iterable<string>): void;
}

/** Counts who needs which resources of one type, and subscribes to each while somebody does. */
export class WantedNames {
  private readonly typeUrl: string;
  private readonly subscriber: Subscriber;
  private readonly counts = new Map<string, number>();

  constructor(typeUrl: string, subscriber: Subscriber) {
    this.typeUrl = typeUrl;
    this.subscriber = subscriber;
  }

  has(name: string): boolean {
    return this.counts.has(name);
  }

  get names(): Iterable<string> {
    return this.counts.keys();
  }

  retain(name: string): void {
    const count = this.counts.get(name) ?? 0;
    this.counts.set(name, count + 1);
    if (count === 0) this.subscriber.subscribe(this.typeUrl, [name]);
  }

  /** True where nobody needs it any more. */
  release(name: string): boolean {
    const count = this.counts.get(name) ?? 0;
    if (count > 1) {
      this.counts.set(name, count - 1);
      return false;
    }
    if (this.counts.delete(name)) this.subscriber.unsubscribe(this.typeUrl, [name]);
    return true;
  }
}
