// `/runtime`.
import { type AdminResponse, jsonResponse } from './admin-message.ts';

/** One layer of `layered_runtime`; its values by dotted key, as text. */
export interface RuntimeValues {
  readonly name: string;
  readonly values: ReadonlyMap<string, string>;
}

/** Every key with what each layer says, lowest first, and what holds: the last that says anything. */
export function runtimePage(layers: readonly RuntimeValues[]): AdminResponse {
  const keys = [...new Set(layers.flatMap(({ values }) => [...values.keys()]))].toSorted();
  const entries = keys.map((key) => {
    const said = layers.map(({ values }) => values.get(key) ?? '');
    return [key, { layer_values: said, final_value: said.findLast((value) => value !== '') ?? '' }] as const;
  });
  return jsonResponse({ entries: Object.fromEntries(entries), layers: layers.map(({ name }) => name) });
}
