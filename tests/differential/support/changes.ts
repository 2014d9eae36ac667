/** Lets somebody wait for a condition that others change: checked when they say that something has happened. */
export class Changes {
  private readonly checks = new Set<() => void>();

  /** Something has happened. */
  tell(): void {
    for (const check of [...this.checks]) check();
  }

  /** True once `condition` holds; false where it does not within `limitMs`. */
  async until(condition: () => boolean, limitMs: number): Promise<boolean> {
    if (condition()) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), limitMs);
    const check = (): void => {
      if (condition()) resolve(true);
    };
    this.checks.add(check);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.checks.delete(check);
    }
  }
}
