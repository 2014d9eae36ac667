/**
 * One value from two, as Envoy merges `--config-yaml` into the file: members of objects one by one, lists one behind the
 * other, anything else by the second's value.
 */
export function mergeConfig(first: unknown, second: unknown): unknown {
  if (Array.isArray(first) && Array.isArray(second))
    return [...(first as unknown[]), ...(second as unknown[])];
  if (!isObject(first) || !isObject(second)) return second;
  const merged = new Map(Object.entries(first));
  for (const [key, value] of Object.entries(second)) {
    merged.set(key, merged.has(key) ? mergeConfig(merged.get(key), value) : value);
  }
  return Object.fromEntries(merged);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
