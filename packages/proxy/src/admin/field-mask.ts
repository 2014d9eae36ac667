type JsonObject = Readonly<Record<string, unknown>>;

/**
 * What of a JSON object a field mask such as `listener.name,version_info` names (protobuf's FieldMask); lists are walked
 * through. `@type` stays. Null where nothing is left.
 */
export function applyFieldMask(value: JsonObject, mask: string): JsonObject | null {
  const paths = mask
    .split(',')
    .filter((path) => path !== '')
    .map((path) => path.split('.'));
  const kept = keep(value, paths);
  return kept === undefined ? null : (kept as JsonObject);
}

function keep(value: unknown, paths: readonly (readonly string[])[]): unknown {
  if (paths.some((path) => path.length === 0)) return value;
  if (Array.isArray(value)) {
    return value.map((element) => keep(element, paths)).filter((element) => element !== undefined);
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const result: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    const deeper = paths.filter(([first]) => first === key).map((path) => path.slice(1));
    const kept = deeper.length === 0 ? undefined : keep(member, deeper);
    if (kept !== undefined) result[key] = kept;
  }
  if (Object.keys(result).length === 0) return undefined;
  // The type says what the rest is; Envoy keeps it too.
  return '@type' in value ? { '@type': value['@type'], ...result } : result;
}
