// Runs the scenario with the seed that is its argument, in a process of its own, and prints its log. What a thread has learnt
// (fields of HTTP/2 that it has seen before) makes messages shorter, and so moves times by microseconds: two runs are the same
// only if both begin with nothing.
import { runScenario } from './scenario.ts';

const { mesh } = await runScenario(Number(process.argv[2]));
process.stdout.write(JSON.stringify({ lines: mesh.lines, digest: mesh.digest }));
