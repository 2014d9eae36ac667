/**
 * Who may open a listening socket, and when. While another process takes the sockets over that are open, nobody: it could not
 * bind what is bound here meanwhile. After that, nobody any more.
 */
export class BindGate {
  private isHeld = false;
  private isShut = false;
  private readonly waiting: (() => void)[] = [];
  private readonly binding = new Set<Promise<void>>();

  /** Runs `bind` when it may be; resolves without having done so where it is never to be. */
  async pass(bind: () => Promise<void>): Promise<void> {
    while (this.isHeld) await new Promise<void>((resolve) => this.waiting.push(resolve));
    if (this.isShut) return;
    const bound = bind();
    this.binding.add(bound);
    try {
      await bound;
    } finally {
      this.binding.delete(bound);
    }
  }

  /** Lets nobody through until `release`; resolves when nobody is on the way any more. */
  async hold(): Promise<void> {
    this.isHeld = true;
    await Promise.allSettled(this.binding);
  }

  release(): void {
    this.isHeld = false;
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  /** Lets nobody through any more. */
  shut(): void {
    this.isShut = true;
    this.release();
  }
}
