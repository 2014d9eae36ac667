/** What changes would do to what connected proxies have, found by making them to a copy of the resources. */
import {
  collectionOf,
  decodeMessage,
  TypeUrl,
  type EncodedResource,
  type ResourceChange,
  type ResourceSource,
  type Subscription,
} from '@heddle/xds';
import { resourceToJson } from '@heddle/xds/json';
import { Resource } from '@heddle/xds/api/envoy/service/discovery/v3/discovery.ts';
import { compareFields, type FieldChange } from './compare-fields.ts';

/** A resource that some proxies would get, get differently, or lose. */
export interface Effect {
  readonly typeUrl: string;
  readonly name: string;
  readonly change: 'added' | 'changed' | 'removed';
  /** Node ids, sorted. */
  readonly proxies: readonly string[];
  /** Where it differs; empty for what is new or gone. */
  readonly fields: readonly FieldChange[];
}

export interface PreviewInput {
  /** The resources as they are, which nobody changes meanwhile. */
  readonly before: ResourceSource;
  /** A copy of them, to which the steps are done. */
  readonly after: ResourceSource;
  readonly subscriptions: readonly Subscription[];
  /** Does one step after the other to `after`. */
  readonly steps: readonly (() => void)[];
  /** Lets others do something now and then. */
  readonly pause: () => Promise<void>;
}

/** Looks at resources between two pauses: some 2 ms. */
const looksPerSlice = 1000;

/** What a proxy has that a step has touched. */
interface Touched {
  readonly typeUrl: string;
  readonly name: string;
  /** After the last step that touched it; empty where there is none. */
  version: string;
  readonly steps: Set<number>;
}

/** By step: what is otherwise after all steps than before, and was changed by this one. */
export async function previewEffects(input: PreviewInput): Promise<Effect[][]> {
  const { before, after, subscriptions, steps } = input;
  const touched = subscriptions.map(() => new Map<string, Touched>());
  const breath = new Breath(input.pause);
  for (const subscription of subscriptions) {
    const collections = new Set<string>();
    for (const name of subscription.names(TypeUrl.virtualHost))
      collections.add(collectionOf(TypeUrl.virtualHost, name) ?? name);
    // What a copy has not been asked for it does not watch.
    for (const source of [before, after])
      for (const name of collections) source.listCollection?.(subscription.client, TypeUrl.virtualHost, name);
  }
  for (const [step, run] of steps.entries()) {
    const changes: ResourceChange[] = [];
    const unwatch = after.watch((told) => changes.push(...told));
    run();
    unwatch();
    for (const [index, subscription] of subscriptions.entries()) {
      for (const { typeUrl, name } of candidates(subscription, changes, before, after)) {
        await breath.take();
        note(touched[index]!, { step, typeUrl, name, subscription, before, after });
      }
    }
  }
  const effects = new Effects(steps.length);
  for (const [index, subscription] of subscriptions.entries()) {
    for (const { typeUrl, name, steps: by } of touched[index]!.values()) {
      await breath.take();
      const { client } = subscription;
      effects.add(
        client.node.id,
        typeUrl,
        name,
        by,
        before.get(client, typeUrl, name),
        after.get(client, typeUrl, name),
      );
    }
  }
  return effects.list();
}

/** Waits after every so many looks, so that nothing else has to wait for long. */
class Breath {
  private readonly pause: () => Promise<void>;
  private looks = 0;

  constructor(pause: () => Promise<void>) {
    this.pause = pause;
  }

  async take(): Promise<void> {
    if (++this.looks % looksPerSlice === 0) await this.pause();
  }
}

interface Look {
  readonly step: number;
  readonly typeUrl: string;
  readonly name: string;
  readonly subscription: Subscription;
  readonly before: ResourceSource;
  readonly after: ResourceSource;
}

function note(
  touched: Map<string, Touched>,
  { step, typeUrl, name, subscription, before, after }: Look,
): void {
  const key = `${typeUrl} ${name}`;
  const known = touched.get(key);
  const version = after.get(subscription.client, typeUrl, name)?.version ?? '';
  const last = known?.version ?? before.get(subscription.client, typeUrl, name)?.version ?? '';
  if (version === last) return;
  if (known === undefined) touched.set(key, { typeUrl, name, version, steps: new Set([step]) });
  else {
    known.version = version;
    known.steps.add(step);
  }
}

/** What of a change may concern a client. */
function* candidates(
  subscription: Subscription,
  changes: readonly ResourceChange[],
  before: ResourceSource,
  after: ResourceSource,
): Generator<{ typeUrl: string; name: string }> {
  const { client } = subscription;
  const has = (typeUrl: string, name: string): boolean =>
    before.get(client, typeUrl, name) !== undefined || after.get(client, typeUrl, name) !== undefined;
  const routes = new Set<string>();
  for (const { typeUrl, names: told } of changes) {
    const possible =
      told ??
      new Set([
        ...subscription.names(typeUrl),
        ...before.list(client, typeUrl),
        ...after.list(client, typeUrl),
      ]);
    for (const name of possible) {
      // A cluster that is new brings the endpoints that its client will ask for.
      const isWanted =
        subscription.wants(typeUrl, name) ||
        (typeUrl === TypeUrl.clusterLoadAssignment &&
          subscription.wants(TypeUrl.cluster, name) &&
          has(TypeUrl.cluster, name));
      if (!isWanted) continue;
      yield { typeUrl, name };
      if (typeUrl === TypeUrl.listener)
        for (const route of routesOf(after.get(client, typeUrl, name))) routes.add(route);
    }
  }
  // Those of new listeners, which nobody can have asked for yet.
  for (const name of routes)
    if (!subscription.wants(TypeUrl.routeConfiguration, name))
      yield { typeUrl: TypeUrl.routeConfiguration, name };
}

const routesByListener = new WeakMap<EncodedResource, readonly string[]>();

/** The route configurations that a listener names. */
function routesOf(listener: EncodedResource | undefined): readonly string[] {
  if (listener === undefined) return [];
  const known = routesByListener.get(listener);
  if (known !== undefined) return known;
  const decoded = decodeMessage(TypeUrl.listener, messageOf(listener));
  const chains = decoded.ok
    ? [...decoded.value.message.filterChains, decoded.value.message.defaultFilterChain ?? { filters: [] }]
    : [];
  const names = chains.flatMap(({ filters }) =>
    filters.flatMap(({ configType }) => {
      const config = configType?.value;
      if (config === undefined || !('typeUrl' in config) || config.typeUrl !== TypeUrl.httpConnectionManager)
        return [];
      const manager = decodeMessage(TypeUrl.httpConnectionManager, config.value);
      const specifier = manager.ok ? manager.value.message.routeSpecifier : undefined;
      return specifier?.$case === 'rds' ? [specifier.value.routeConfigName] : [];
    }),
  );
  routesByListener.set(listener, names);
  return names;
}

function messageOf({ bytes }: EncodedResource): Uint8Array {
  return Resource.decode(bytes).resource?.value ?? new Uint8Array();
}

/** Puts together what is the same for several proxies. */
class Effects {
  private readonly steps: Map<string, Effect & { readonly proxies: string[] }>[];
  /** By both versions. */
  private readonly fields = new Map<string, readonly FieldChange[]>();

  constructor(steps: number) {
    this.steps = Array.from({ length: steps }, () => new Map());
  }

  add(
    node: string,
    typeUrl: string,
    name: string,
    steps: ReadonlySet<number>,
    before: EncodedResource | undefined,
    after: EncodedResource | undefined,
  ): void {
    if (before?.version === after?.version) return;
    const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
    const fields = before === undefined || after === undefined ? [] : this.compare(typeUrl, before, after);
    const key = JSON.stringify([typeUrl, name, change, fields]);
    for (const step of steps) {
      const known = this.steps[step]!.get(key);
      if (known === undefined) this.steps[step]!.set(key, { typeUrl, name, change, proxies: [node], fields });
      else known.proxies.push(node);
    }
  }

  list(): Effect[][] {
    for (const effects of this.steps) for (const { proxies } of effects.values()) proxies.sort();
    return this.steps.map((effects) => [...effects.values()]);
  }

  private compare(typeUrl: string, before: EncodedResource, after: EncodedResource): readonly FieldChange[] {
    // Whoever may read the configuration need not know keys.
    if (typeUrl === TypeUrl.secret) return [];
    const key = `${typeUrl} ${before.version} ${after.version}`;
    let fields = this.fields.get(key);
    if (fields === undefined) {
      fields = compareFields(
        resourceToJson(typeUrl, messageOf(before)),
        resourceToJson(typeUrl, messageOf(after)),
        true,
      );
      this.fields.set(key, fields);
    }
    return fields;
  }
}
