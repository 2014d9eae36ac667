// Hot path: runs for requests whose route rewrites by a pattern.
import { holds, noByte } from './assertions.ts';
import type { Program } from './program.ts';

/** Where a match and its groups begin and end; -1 for a group without part in it. Group 0 is the whole match. */
export type Match = readonly number[];

/** The threads of one step: places in the program in order of preference, each with what it captured. */
interface Threads {
  readonly places: number[];
  readonly captures: number[][];
}

/** Finds the leftmost match that a backtracking engine would prefer, in time linear in the text (Pike's machine). */
export class Searcher {
  private readonly program: Program;
  /** Per instruction, the step in which it was last reached: each is walked once per byte. */
  private readonly reachedAt: Int32Array;
  private step = 0;

  constructor(program: Program) {
    this.program = program;
    this.reachedAt = new Int32Array(program.instructions.length);
  }

  /** The first match at `from` or behind it, null for none. `^` is the start of the text, not `from`. */
  find(text: string, from: number): Match | null {
    let current: Threads = { places: [], captures: [] };
    let found: Match | null = null;
    for (let at = from; at <= text.length; at++) {
      const next: Threads = { places: [], captures: [] };
      const before = at > 0 ? text.charCodeAt(at - 1) & 0xff : noByte;
      const byte = at < text.length ? text.charCodeAt(at) & 0xff : noByte;
      this.step++;
      const active: Threads = { places: [], captures: [] };
      for (let i = 0; i < current.places.length; i++) {
        this.follow(current.places[i]!, current.captures[i]!, at, before, byte, active);
      }
      // A later start is worth less than any thread, and nothing once there is a match.
      if (found === null) {
        const slots = Array.from({ length: (this.program.captures + 1) * 2 }, () => -1);
        slots[0] = at;
        this.follow(this.program.start, slots, at, before, byte, active);
      }
      for (let i = 0; i < active.places.length; i++) {
        const instruction = this.program.instructions[active.places[i]!]!;
        if (instruction.kind === 'match') {
          found = active.captures[i]!.with(1, at);
          // Threads behind this one would be worse matches.
          break;
        }
        if (instruction.kind === 'bytes' && byte !== noByte && instruction.set[byte] === 1) {
          next.places.push(instruction.next);
          next.captures.push(active.captures[i]!);
        }
      }
      if (found !== null && next.places.length === 0) break;
      current = next;
    }
    return found;
  }

  /** Adds the places that can be reached from `place` without taking a byte, best first. */
  private follow(
    place: number,
    captures: number[],
    at: number,
    before: number,
    after: number,
    threads: Threads,
  ): void {
    const open: { readonly place: number; readonly captures: number[] }[] = [{ place, captures }];
    for (let thread = open.pop(); thread !== undefined; thread = open.pop()) {
      if (this.reachedAt[thread.place] === this.step) continue;
      this.reachedAt[thread.place] = this.step;
      const instruction = this.program.instructions[thread.place]!;
      switch (instruction.kind) {
        case 'branch':
          open.push({ place: instruction.second, captures: thread.captures });
          open.push({ place: instruction.first, captures: thread.captures });
          break;
        case 'save':
          open.push({ place: instruction.next, captures: thread.captures.with(instruction.slot, at) });
          break;
        case 'assertion':
          if (holds(instruction.assertion, before, after)) {
            open.push({ place: instruction.next, captures: thread.captures });
          }
          break;
        default:
          threads.places.push(thread.place);
          threads.captures.push(thread.captures);
      }
    }
  }
}
