import { TypeUrl } from '../type-url.ts';
import type { ResourceChange } from './resource-source.ts';

/**
 * What changed since the last push. Streams note it when they are pushed, and before they send anything for another reason: what has to go
 * first has to be known. Where nothing but endpoints changed nothing has to go first; they wait for the push, so that all
 * streams are sent the same together.
 */
export class ChangeLog {
  /** In order; where a name changed twice it may stand here twice. */
  readonly changes: ResourceChange[] = [];
  /** Names of load assignments that changed for everybody. */
  readonly endpoints = new Set<string>();

  add(changes: readonly ResourceChange[]): void {
    for (const change of changes) {
      const { typeUrl, names, concerns } = change;
      if (typeUrl !== TypeUrl.clusterLoadAssignment || names === undefined || concerns !== undefined)
        this.changes.push(change);
      else for (const name of names) this.endpoints.add(name);
    }
  }

  clear(): void {
    this.changes.length = 0;
    this.endpoints.clear();
  }
}
