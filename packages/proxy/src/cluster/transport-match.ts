import { isDeepStrictEqual } from 'node:util';
import type { UpstreamTlsConfig } from '../tls/tls-config.ts';

/** What a load assignment says of an endpoint for the choice of how connections to it are made; null for nothing. */
export type EndpointTraits = Readonly<Record<string, unknown>> | null;

/** How connections are made to endpoints that are so marked. */
export interface TransportMatch {
  /** All of these are said of the endpoint; nothing fits every endpoint. */
  readonly traits: Readonly<Record<string, unknown>>;
  /** Null for plain connections. */
  readonly tls: UpstreamTlsConfig | null;
}

/** How connections to an endpoint are made; `usual` where nothing fits it. */
export function transportFor(
  matches: readonly TransportMatch[] | undefined,
  traits: EndpointTraits | undefined,
  usual: UpstreamTlsConfig | null,
): UpstreamTlsConfig | null {
  const found = matches?.find((match) =>
    Object.entries(match.traits).every(([key, value]) => isDeepStrictEqual(traits?.[key], value)),
  );
  return found === undefined ? usual : found.tls;
}
