// `bench` and `run` of mitata, or with `--once` every function a single time: proof that it still runs.
import { bench as measure, run as runAll } from 'mitata';

const once = process.argv.includes('--once');

/** Adds a function. What it returns is kept from being optimized away. */
export function bench(name: string, call: () => unknown): void {
  if (once) call();
  else measure(name, call);
}

/** Measures what was added; to be awaited at the end of each file. */
export async function run(): Promise<void> {
  if (once) console.log('ran once');
  else await runAll();
}
