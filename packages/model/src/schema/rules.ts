// What rules that are functions say in the languages of others: CEL for Kubernetes, presence for JSON Schema.

const expressions = new WeakMap<object, string>();
const exclusive = new WeakMap<object, readonly string[]>();

/** Says a rule in CEL (https://github.com/google/cel-spec), about `self`, as the generated CRDs have it. */
export function inCel<R extends object>(expression: string, rule: R): R {
  expressions.set(rule, expression);
  return rule;
}

/** The CEL of a rule; undefined where it was said in none. */
export function celOf(rule: object): string | undefined {
  return expressions.get(rule);
}

/** Says of a rule that it lets at most one of these fields be set. */
export function letsOneBeSet<R extends object>(names: readonly string[], rule: R): R {
  exclusive.set(rule, names);
  return inCel(`[${names.map((name) => `has(self.${name})`).join(', ')}].filter(x, x).size() <= 1`, rule);
}

/** The fields of which a rule lets at most one be set; undefined of other rules. */
export function exclusiveFieldsOf(rule: object): readonly string[] | undefined {
  return exclusive.get(rule);
}
