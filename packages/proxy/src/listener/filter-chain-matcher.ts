// Chooses the filter chain for a connection in Envoy's order: destination port, destination address, server name, transport
// protocol, application protocols, address of the direct peer, kind of source, source address, source port. At each step the
// most specific value that any chain names is taken and the others are out of the race, also where it leads to nothing.
import type { CidrRange, FilterChainMatchConfig } from '../config/listener-config.ts';
import { addressBytes, isLoopbackAddress, isWithin } from '../transport/ip-address.ts';

/** What is known of a connection when its chain is chosen. Addresses are IP addresses, or empty for Unix sockets. */
export interface ConnectionTraits {
  readonly destinationAddress: string;
  readonly destinationPort: number;
  /** Lower-case; empty where TLS named none. */
  readonly serverName: string;
  readonly transportProtocol: 'raw_buffer' | 'tls';
  /** In the order of preference. */
  readonly applicationProtocols: readonly string[];
  readonly directSourceAddress: string;
  readonly sourceAddress: string;
  readonly sourcePort: number;
}

/** Addresses as bytes; null where there are none. */
interface Traits extends ConnectionTraits {
  readonly destination: Uint8Array | null;
  readonly directSource: Uint8Array | null;
  readonly source: Uint8Array | null;
}

/** What `FilterChainMatch` says where nothing is asked for. */
export const matchesAll: FilterChainMatchConfig = {
  destinationPort: 0,
  destinationRanges: [],
  serverNames: [],
  transportProtocol: '',
  applicationProtocols: [],
  directSourceRanges: [],
  sourceType: 'any',
  sourceRanges: [],
  sourcePorts: [],
};

/** One step: the branches that a chain belongs to, and the one that a connection takes. */
interface Step {
  keys(match: FilterChainMatchConfig): readonly string[];
  choose(branches: ReadonlyMap<string, Branch>, traits: Traits): Branch | undefined;
}

/** A branch leads to the next step's branches, and behind the last step to a chain. */
interface Branch {
  readonly next: Map<string, Branch>;
  /** The range that it stands for, at a step that compares addresses. */
  readonly range: CidrRange | null;
  /** Index of the chain behind the last step; -1 elsewhere. */
  chain: number;
}

/** What a chain that asks for nothing at a step belongs to. */
const any = '';
const anySource: FilterChainMatchConfig['sourceType'] = 'any';

function orAny(keys: readonly string[]): readonly string[] {
  return keys.length === 0 ? [any] : keys;
}

function rangeStep(
  rangesOf: (match: FilterChainMatchConfig) => readonly CidrRange[],
  addressOf: (traits: Traits) => Uint8Array | null,
): Step {
  return {
    keys: (match) => orAny(rangesOf(match).map(rangeKey)),
    choose: (branches, traits) => {
      const address = addressOf(traits);
      let best = branches.get(any);
      if (address === null) return best;
      for (const branch of branches.values()) {
        const { range } = branch;
        if (range === null || !isWithin(address, range.bytes, range.bits)) continue;
        if (range.bits > (best?.range?.bits ?? -1)) best = branch;
      }
      return best;
    },
  };
}

function rangeKey({ bytes, bits }: CidrRange): string {
  return `${bytes.join('.')}/${bits}`;
}

const steps: readonly Step[] = [
  {
    keys: ({ destinationPort }) => [destinationPort === 0 ? any : String(destinationPort)],
    choose: (branches, { destinationPort }) => branches.get(String(destinationPort)) ?? branches.get(any),
  },
  rangeStep(
    (match) => match.destinationRanges,
    (traits) => traits.destination,
  ),
  {
    // `*.example.com` is kept as `.example.com`.
    keys: ({ serverNames }) =>
      orAny(serverNames.map((name) => (name.startsWith('*.') ? name.slice(1) : name))),
    choose: (branches, { serverName }) => {
      const exact = serverName === '' ? undefined : branches.get(serverName);
      if (exact !== undefined) return exact;
      for (let dot = serverName.indexOf('.', 1); dot > 0; dot = serverName.indexOf('.', dot + 1)) {
        const wildcard = branches.get(serverName.slice(dot));
        if (wildcard !== undefined) return wildcard;
      }
      return branches.get(any);
    },
  },
  {
    keys: ({ transportProtocol }) => [transportProtocol],
    choose: (branches, { transportProtocol }) => branches.get(transportProtocol) ?? branches.get(any),
  },
  {
    keys: ({ applicationProtocols }) => orAny(applicationProtocols),
    choose: (branches, { applicationProtocols }) => {
      for (const protocol of applicationProtocols) {
        const branch = branches.get(protocol);
        if (branch !== undefined) return branch;
      }
      return branches.get(any);
    },
  },
  rangeStep(
    (match) => match.directSourceRanges,
    (traits) => traits.directSource,
  ),
  {
    keys: ({ sourceType }) => [sourceType],
    choose: (branches, traits) =>
      branches.get(isLocal(traits) ? 'same-ip-or-loopback' : 'external') ?? branches.get(anySource),
  },
  rangeStep(
    (match) => match.sourceRanges,
    (traits) => traits.source,
  ),
  {
    keys: ({ sourcePorts }) => orAny(sourcePorts.map(String)),
    choose: (branches, { sourcePort }) => branches.get(String(sourcePort)) ?? branches.get(any),
  },
];

/** The source is this machine: a loopback address, or the very address that it connected to. */
function isLocal({ source, destination, sourceAddress, destinationAddress }: Traits): boolean {
  if (source === null || destination === null) return sourceAddress === destinationAddress;
  return isLoopbackAddress(source) || Buffer.compare(source, destination) === 0;
}

/** The filter chains of a listener, by what their connections look like. */
export class FilterChainMatcher {
  /** Pairs of chains that match the same connections: the later one, and the earlier one that it repeats. */
  readonly duplicates: readonly (readonly [number, number])[];
  private readonly root = new Map<string, Branch>();
  private readonly namesDestinations: boolean;

  /** Chains are told by their index in `matches`; null matches everything. */
  constructor(matches: readonly (FilterChainMatchConfig | null)[]) {
    this.namesDestinations = matches.some((match) => match !== null && match.destinationRanges.length > 0);
    const duplicates: [number, number][] = [];
    for (const [chain, match] of matches.entries()) {
      const earlier = this.add(this.root, 0, match ?? matchesAll, chain);
      if (earlier >= 0) duplicates.push([chain, earlier]);
    }
    this.duplicates = duplicates;
  }

  /** Index of the chain for a connection; -1 where there is none. */
  find(traits: ConnectionTraits): number {
    const known: Traits = {
      ...traits,
      destination: bytesOrNull(traits.destinationAddress),
      directSource: bytesOrNull(traits.directSourceAddress),
      source: bytesOrNull(traits.sourceAddress),
    };
    let branches = this.root;
    let chain = -1;
    for (const step of steps) {
      const branch = step.choose(branches, known);
      if (branch === undefined) return -1;
      branches = branch.next;
      chain = branch.chain;
    }
    return chain;
  }

  /** True where only one chain can be meant, whatever else is found out about a connection to this address. */
  isDecidedBy(destinationAddress: string, destinationPort: number): boolean {
    if (!this.namesDestinations) return false;
    const traits = { ...undecided, destinationPort, destination: bytesOrNull(destinationAddress) };
    let branches = this.root;
    for (const [depth, step] of steps.entries()) {
      const branch = depth <= destinationStep ? step.choose(branches, traits) : onlyBranch(branches);
      if (branch === undefined) return false;
      branches = branch.next;
    }
    return true;
  }

  /** Adds a chain below `branches`; returns an earlier one that has one of its places already, or -1. */
  private add(
    branches: Map<string, Branch>,
    depth: number,
    match: FilterChainMatchConfig,
    chain: number,
  ): number {
    const step = steps[depth]!;
    const ranges = rangesAt(depth, match);
    let earlier = -1;
    for (const [index, key] of step.keys(match).entries()) {
      let branch = branches.get(key);
      if (branch === undefined) {
        branch = { next: new Map(), range: ranges[index] ?? null, chain: -1 };
        branches.set(key, branch);
      }
      if (depth + 1 < steps.length) {
        earlier = Math.max(earlier, this.add(branch.next, depth + 1, match, chain));
      } else if (branch.chain < 0 || branch.chain === chain) branch.chain = chain;
      else earlier = branch.chain;
    }
    return earlier;
  }
}

const [destinationStep, directSourceStep, sourceStep] = [1, 5, 7] as const;

function rangesAt(depth: number, match: FilterChainMatchConfig): readonly CidrRange[] {
  if (depth === destinationStep) return match.destinationRanges;
  if (depth === directSourceStep) return match.directSourceRanges;
  return depth === sourceStep ? match.sourceRanges : [];
}

/** Nothing but the destination is known. */
const undecided: Omit<Traits, 'destinationPort' | 'destination'> = {
  destinationAddress: '',
  serverName: '',
  transportProtocol: 'raw_buffer',
  applicationProtocols: [],
  directSourceAddress: '',
  directSource: null,
  sourceAddress: '',
  source: null,
  sourcePort: 0,
};

/** The branch that every connection takes; undefined where that depends on the connection. */
function onlyBranch(branches: ReadonlyMap<string, Branch>): Branch | undefined {
  return branches.size === 1 ? (branches.get(any) ?? branches.get(anySource)) : undefined;
}

function bytesOrNull(address: string): Uint8Array | null {
  return address === '' || address.startsWith('/') || address.startsWith('\0') ? null : addressBytes(address);
}
