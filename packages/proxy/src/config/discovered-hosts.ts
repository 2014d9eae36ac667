import { ProblemList } from './problem-list.ts';
import type { RouteTableBuilder } from '../routing/compile-route-table.ts';
import type { RouteTable } from '../routing/route-table.ts';
import type { VirtualHost } from '../routing/virtual-host.ts';

interface Discovered<C> {
  readonly bytes: Uint8Array;
  readonly host: VirtualHost<C>;
}

/**
 * The virtual hosts of one route configuration that come by themselves (VHDS), by the names of their resources. What comes in one response
 * takes effect together: a domain may go from one host to another.
 */
export class DiscoveredHosts<C> {
  /** Whether the control plane has said which there are. */
  isAnswered = false;
  /** Whether something has come since the last table. */
  isChanged = false;
  private inForce: ReadonlyMap<string, Discovered<C>> = new Map();
  private next = new Map<string, Discovered<C>>();

  /** Whether a host is known by these bytes. */
  has(name: string, bytes: Uint8Array): boolean {
    const known = this.next.get(name);
    return known !== undefined && Buffer.compare(known.bytes, bytes) === 0;
  }

  set(name: string, bytes: Uint8Array, host: VirtualHost<C>): void {
    this.isAnswered = true;
    this.isChanged = true;
    this.next.set(name, { bytes, host });
  }

  delete(name: string): void {
    if (this.next.delete(name)) this.isChanged = true;
  }

  /** There are none for now. */
  noteEmpty(): void {
    if (!this.isAnswered) this.isChanged = true;
    this.isAnswered = true;
  }

  /** Of all that are known, for who compiles them anew. */
  get entries(): readonly (readonly [string, Uint8Array])[] {
    return [...this.next].map(([name, { bytes }]) => [name, bytes]);
  }

  /**
   * Makes the table, by a builder that has all other hosts. A host that claims a domain of another's is put back to what it was before, and
   * `refused` says why.
   */
  build(
    begin: (problems: ProblemList) => RouteTableBuilder<C>,
    refused: Map<string, string>,
  ): RouteTable<C> | null {
    this.isChanged = false;
    for (;;) {
      const conflicts = new Map<string, string>();
      const problems = new ProblemList();
      const builder = begin(problems);
      if (!problems.isEmpty) return null;
      // A conflict is the fault of what is new.
      for (const [name, { host }] of this.oldFirst()) {
        const before = problems.problems.length;
        builder.reuse(host);
        const problem = problems.problems[before];
        if (problem !== undefined) conflicts.set(name, problem.message);
      }
      if (conflicts.size === 0) {
        this.inForce = new Map(this.next);
        return builder.finish();
      }
      for (const [name, reason] of conflicts) {
        refused.set(name, reason);
        this.putBack(name);
      }
    }
  }

  private oldFirst(): [string, Discovered<C>][] {
    const isOld = ([name, entry]: [string, Discovered<C>]): boolean => this.inForce.get(name) === entry;
    const all = [...this.next];
    return [...all.filter(isOld), ...all.filter((entry) => !isOld(entry))];
  }

  private putBack(name: string): void {
    const previous = this.inForce.get(name);
    if (previous === undefined || previous === this.next.get(name)) this.next.delete(name);
    else this.next.set(name, previous);
  }
}
