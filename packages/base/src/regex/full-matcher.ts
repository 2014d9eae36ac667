// Hot path: one table lookup per byte. States of the automaton are made when a text first leads to them, and kept.
import { holds, noByte } from './assertions.ts';
import type { Program } from './program.ts';

/** Beyond this many states all are forgotten and made anew: hostile texts cost time of their own length, not memory. */
const maxStates = 256;
const deadState = 0;
const unknown = -1;

/** A set of places in the program, and the byte that led there. */
interface State {
  readonly places: readonly number[];
  readonly before: number;
}

/**
 * Decides whether a pattern matches a whole text of latin1 characters (one per byte), in time linear in the text: what no
 * choice of pattern or text can change.
 */
export class FullMatcher {
  private readonly program: Program;
  private readonly tellsBytesApart: boolean;
  private states: State[] = [];
  private known = new Map<string, number>();
  /** Per state, the next state by byte. */
  private transitions: Int16Array[] = [];
  /** Per state: 1 where the text may end, 0 where not, `unknown` before it was asked. */
  private readonly accepting = new Int8Array(maxStates);
  private startState = deadState;

  constructor(program: Program) {
    this.program = program;
    // Only assertions ask what came before: without any, states need not remember it.
    this.tellsBytesApart = program.instructions.some(({ kind }) => kind === 'assertion');
    this.reset();
  }

  matches(text: string): boolean {
    let state = this.startState;
    for (let i = 0; i < text.length; i++) {
      const byte = text.charCodeAt(i) & 0xff;
      let next = this.transitions[state]![byte]!;
      if (next === unknown) next = this.makeTransition(state, byte);
      if (next === deadState) return false;
      state = next;
    }
    const known = this.accepting[state]!;
    return (known === unknown ? this.decideEnd(state) : known) === 1;
  }

  private reset(): void {
    this.states = [];
    this.known = new Map();
    this.transitions = [];
    this.accepting.fill(unknown);
    this.stateOf([], noByte);
    this.startState = this.stateOf([this.program.start], noByte);
  }

  private stateOf(places: readonly number[], before: number): number {
    const key = this.tellsBytesApart ? `${before}:${places.join()}` : places.join();
    const found = this.known.get(key);
    if (found !== undefined) return found;
    const state = this.states.length;
    this.states.push({ places, before });
    this.transitions.push(new Int16Array(256).fill(unknown));
    this.known.set(key, state);
    return state;
  }

  private makeTransition(state: number, byte: number): number {
    const { places, before } = this.states[state]!;
    const next: number[] = [];
    for (const place of this.reachable(places, before, byte)) {
      const instruction = this.program.instructions[place]!;
      if (instruction.kind === 'bytes' && instruction.set[byte] === 1 && !next.includes(instruction.next)) {
        next.push(instruction.next);
      }
    }
    if (next.length === 0) {
      this.transitions[state]![byte] = deadState;
      return deadState;
    }
    next.sort((a, b) => a - b);
    if (this.states.length >= maxStates) {
      this.reset();
      return this.stateOf(next, byte);
    }
    const target = this.stateOf(next, byte);
    this.transitions[state]![byte] = target;
    return target;
  }

  private decideEnd(state: number): number {
    const { places, before } = this.states[state]!;
    let isAccepting = 0;
    for (const place of this.reachable(places, before, noByte)) {
      if (this.program.instructions[place]!.kind === 'match') isAccepting = 1;
    }
    this.accepting[state] = isAccepting;
    return isAccepting;
  }

  /** The places that can be reached without taking a byte, between `before` and `after`. */
  private reachable(places: readonly number[], before: number, after: number): Set<number> {
    const reached = new Set<number>();
    const open = [...places];
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      if (reached.has(place)) continue;
      reached.add(place);
      const instruction = this.program.instructions[place]!;
      if (instruction.kind === 'branch') open.push(instruction.first, instruction.second);
      else if (instruction.kind === 'save') open.push(instruction.next);
      else if (instruction.kind === 'assertion' && holds(instruction.assertion, before, after)) {
        open.push(instruction.next);
      }
    }
    return reached;
  }
}
