import { KnownVersion } from './version-table.ts';
import type { EncodedResource, ResourceSource, XdsClient } from './resource-source.ts';
import type { TypeState } from './type-state.ts';

/** What one response will hold. */
export interface ResponsePlan {
  readonly resources: readonly EncodedResource[];
  readonly removed: readonly string[];
}

export interface PlanLimits {
  /** Monotonic milliseconds. */
  readonly now: number;
  readonly holdTimeoutMs: number;
  readonly maxResponseBytes: number;
  /** Whether resources may be sent; where not, only that a name does not exist. */
  readonly mayUpdate: boolean;
  /** Whether only what the client asked for just now may be sent. */
  readonly onlyForced: boolean;
  /** Whether removals may be sent that nobody asked about. */
  readonly mayRemove: boolean;
}

/**
 * Takes out of what is pending the names whose state the client knows already. A source may tell of more names than did
 * change, and nothing is sent for those: what waits for this type must not wait for them, as no answer will end that wait.
 */
export function dropUnchanged(client: XdsClient, state: TypeState, source: ResourceSource): void {
  for (const name of state.pending) {
    if (state.forced.has(name)) continue;
    const resource = source.get(client, state.typeUrl, name);
    if (!isKnown(state.names.version(name), resource)) continue;
    state.pending.delete(name);
    // It was gone, and is back as it was before the client heard of that.
    if (resource !== undefined) state.heldRemovals.delete(name);
  }
}

/**
 * Takes the next response's worth out of what is pending, and notes in `state` that the client knows it. Null when there
 * is nothing to send now.
 */
export function planResponse(
  client: XdsClient,
  state: TypeState,
  source: ResourceSource,
  limits: PlanLimits,
): ResponsePlan | null {
  const resources: EncodedResource[] = [];
  const removed: string[] = [];
  let bytes = 0;
  const names = limits.onlyForced ? state.forced : state.pending;
  const { names: states, typeUrl } = state;
  const hasForced = state.forced.size > 0;
  for (const name of names) {
    const isForced = hasForced && state.forced.has(name);
    const resource = source.get(client, typeUrl, name);
    if (resource === undefined) {
      const known = states.version(name);
      if (isForced) {
        removed.push(name);
        noteRemoved(state, name);
      } else if (known >= KnownVersion.foreign && !state.heldRemovals.has(name)) {
        state.heldRemovals.set(name, limits.now + limits.holdTimeoutMs);
      }
    } else {
      if (!limits.mayUpdate) continue;
      if (state.heldRemovals.size > 0) state.heldRemovals.delete(name);
      const id = states.idOf(name);
      if (isForced || states.versionOf(id) !== resource.versionNumber) {
        if (resources.length > 0 && bytes + resource.bytes.length > limits.maxResponseBytes) break;
        bytes += resource.bytes.length;
        resources.push(resource);
        states.setVersionOf(id, resource.versionNumber);
      }
    }
    state.pending.delete(name);
    if (isForced) state.forced.delete(name);
  }
  if (!limits.onlyForced) {
    for (const [name, deadline] of state.heldRemovals) {
      if (!limits.mayRemove && deadline > limits.now) continue;
      removed.push(name);
      noteRemoved(state, name);
    }
  }
  if (resources.length > 0 || removed.length > 0) {
    state.isAnswerDue = false;
    return { resources, removed };
  }
  if (!state.isAnswerDue || !limits.mayUpdate || limits.onlyForced) return null;
  state.isAnswerDue = false;
  return { resources, removed };
}

/** The client will know that the name does not exist; for a name that only a wildcard covered there is nothing to know. */
function noteRemoved(state: TypeState, name: string): void {
  state.heldRemovals.delete(name);
  state.names.setVersion(name, state.names.isNamed(name) ? KnownVersion.absent : KnownVersion.none);
}

/** Whether what the client knows is the present state; undefined for that there is no resource. */
export function isKnown(known: number, resource: EncodedResource | undefined): boolean {
  return resource === undefined ? known <= KnownVersion.absent : known === resource.versionNumber;
}
