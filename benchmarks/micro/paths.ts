// Normalizing paths: nearly all are normal already. Run: node benchmarks/micro/paths.ts
import { EscapedSlashes, NormalizedPath } from '../../packages/proxy/src/http/path-normalization.ts';
import { bench, run } from './harness.ts';

const rules = { normalizes: true, mergesSlashes: true, escapedSlashes: EscapedSlashes.redirect };
const path = new NormalizedPath();

bench('a normal path', () => path.apply('/productpage?u=normal', rules));
bench('a normal path of 120 characters', () => path.apply(`/${'segment/'.repeat(15)}`, rules));
bench('a path with dots, escapes and slashes', () => path.apply('/a/./b/../%41//c%2Fd?q=1', rules));

await run();
