// `layered_runtime`: switches and numbers by key, each layer over the ones before it.
import type { LayeredRuntime } from '@heddle/xds/api/envoy/config/bootstrap/v3/bootstrap.ts';
import type { ProblemList } from '../config/problem-list.ts';

/** One layer; its values by dotted key, as text. */
export interface RuntimeLayer {
  readonly name: string;
  readonly path: string;
  readonly values: ReadonlyMap<string, string>;
}

/** Keys that nothing here depends on: our regular expressions have a limit of their own. */
const withoutEffect = /^re2\.max_program_size\./;

/** Keys that limit connections. */
export const runtimeKeys = {
  maxConnections: 'overload.global_downstream_max_connections',
  /** With the listener's name in it. */
  maxListenerConnections: /^envoy\.resource_limits\.listener\.(.+)\.connection_limit$/,
} as const;

/** Reads all layers. An `admin_layer` is empty: there is no `/runtime_modify`. */
export function readRuntime(runtime: LayeredRuntime | undefined, problems: ProblemList): RuntimeLayer[] {
  return (runtime?.layers ?? []).map(({ name, layerSpecifier }, index) => {
    const path = `layered_runtime.layers[${index}]`;
    const values = new Map<string, string>();
    if (name === '') problems.invalid(`${path}.name`, 'must not be empty');
    if (layerSpecifier === undefined) problems.invalid(path, 'needs one of static_layer, admin_layer');
    else if (layerSpecifier.$case === 'staticLayer')
      flatten('', layerSpecifier.value, `${path}.static_layer`, values, problems);
    return { name, path, values };
  });
}

/** The last layer's word; null where there is none. */
export function runtimeValue(
  layers: readonly RuntimeLayer[],
  key: string,
): { readonly text: string; readonly path: string } | null {
  for (const { values, path } of layers.toReversed()) {
    const text = values.get(key);
    if (text !== undefined) return { text, path: `${path}.static_layer.${key}` };
  }
  return null;
}

/** `{a: {b: 1}}` and `{'a.b': 1}` are the same key. */
function flatten(
  prefix: string,
  value: unknown,
  path: string,
  values: Map<string, string>,
  problems: ProblemList,
): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, member] of Object.entries(value)) {
      flatten(prefix === '' ? key : `${prefix}.${key}`, member, `${path}.${key}`, values, problems);
    }
    return;
  }
  if (!isKnown(prefix)) {
    problems.unsupported(path, 'the runtime key', 'leave it out: nothing here depends on it');
    return;
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    values.set(prefix, String(value));
  else problems.invalid(path, 'must be a number, a text or true or false');
}

function isKnown(key: string): boolean {
  const { maxConnections, maxListenerConnections } = runtimeKeys;
  return key === maxConnections || maxListenerConnections.test(key) || withoutEffect.test(key);
}
