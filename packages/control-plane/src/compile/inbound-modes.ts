/** What a listener by which others come in does with callers that show a certificate of the mesh, and with those that don't. */
import { assertNever } from '@heddle/base';
import type { MtlsMode } from '@heddle/model';
import { type DeepPartial, packAny, TypeUrl } from '@heddle/xds';
import type { Listener } from '@heddle/xds/api/envoy/config/listener/v3/listener.ts';
import type { FilterChain } from '@heddle/xds/api/envoy/config/listener/v3/listener_components.ts';
import { listenerFilter } from './interception-listeners.ts';

const tlsInspector = listenerFilter('tls_inspector', packAny(TypeUrl.tlsInspector, {}));
/** Whoever says nothing for so long waits for the server to speak first, in the clear. */
const silence = { seconds: 1, nanos: 0 };

/** Chains in the order in which they are tried; the last of each is for all that no other is for. */
export interface InboundChains {
  /** Each with TLS; the last one for every protocol that ALPN may name. */
  readonly secure: readonly [...DeepPartial<FilterChain>[], DeepPartial<FilterChain>];
  readonly plain: DeepPartial<FilterChain>;
  /** The application may be one that speaks before its client does. */
  readonly mayWaitForServer: boolean;
}

/** The parts of a listener that depend on the mode. */
export function inboundChains(
  mode: MtlsMode,
  { secure, plain, mayWaitForServer }: InboundChains,
): DeepPartial<Listener> {
  const others = secure.slice(0, -1);
  const last = secure.at(-1)!;
  switch (mode) {
    case 'STRICT':
      return others.length === 0
        ? { filterChains: [last] }
        : { listenerFilters: [tlsInspector], filterChains: others, defaultFilterChain: last };
    case 'DISABLE':
      return { filterChains: [plain] };
    case 'PERMISSIVE':
      return {
        listenerFilters: [tlsInspector],
        ...(mayWaitForServer
          ? { listenerFiltersTimeout: silence, continueOnListenerFiltersTimeout: true }
          : {}),
        filterChains: [...others, { ...last, filterChainMatch: { transportProtocol: 'tls' } }],
        defaultFilterChain: plain,
      };
    default:
      return assertNever(mode);
  }
}
