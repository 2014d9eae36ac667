// Hot path: a decision allocates the strings of the headers it reads and nothing else.
import type { RequestView } from '../../routing/request-view.ts';
import type { Connection } from '../../transport/transport.ts';

/** What policies see of a request: what goes on to the upstream, never what its sender would like them to see. */
export interface RbacRequest extends RequestView {
  readonly client: {
    /** The client's IP address as far as X-Forwarded-For is believed. */
    readonly address: string;
  };
}

/** One condition of a policy, compiled. */
export interface RbacMatcher {
  /** `request` is null where a connection is decided about. */
  matches(connection: Connection, request: RbacRequest | null): boolean;
}

/** Matches everything. */
export const anything: RbacMatcher = { matches: () => true };

export class AllOf implements RbacMatcher {
  readonly parts: readonly RbacMatcher[];

  constructor(parts: readonly RbacMatcher[]) {
    this.parts = parts;
  }

  matches(connection: Connection, request: RbacRequest | null): boolean {
    const { parts } = this;
    for (let i = 0; i < parts.length; i++) if (!parts[i]!.matches(connection, request)) return false;
    return true;
  }
}

export class AnyOf implements RbacMatcher {
  readonly parts: readonly RbacMatcher[];

  constructor(parts: readonly RbacMatcher[]) {
    this.parts = parts;
  }

  matches(connection: Connection, request: RbacRequest | null): boolean {
    const { parts } = this;
    for (let i = 0; i < parts.length; i++) if (parts[i]!.matches(connection, request)) return true;
    return false;
  }
}

export class Not implements RbacMatcher {
  readonly part: RbacMatcher;

  constructor(part: RbacMatcher) {
    this.part = part;
  }

  matches(connection: Connection, request: RbacRequest | null): boolean {
    return !this.part.matches(connection, request);
  }
}
