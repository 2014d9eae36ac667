// What a route's regular expression costs, beside the engine of the runtime.
// Run: node benchmarks/micro/regex.ts
import { bench, run } from './harness.ts';
import { Regex, Substitution } from '../../packages/base/src/regex/regex.ts';

const pattern = '/api/v[0-9]+/users/[^/]+(/.*)?';
const path = '/api/v12/users/abcdef/orders/2024-01-01';

function compiled(): Regex {
  const regex = Regex.compile(pattern);
  if (!regex.ok) throw new Error(regex.error);
  return regex.value;
}

const regex = compiled();
const backtracking = new RegExp(`^(?:${pattern})$`);
const substitution = Substitution.compile('/users\\1', 1);
if (!substitution.ok) throw new Error(substitution.error);
const { value } = substitution;

bench('full match', () => regex.matches(path));
bench('full match by the backtracking engine', () => backtracking.test(path));
bench('replacement', () => regex.replaceAll(path, value));
bench('compiling', () => compiled());

await run();
