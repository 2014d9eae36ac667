// A parsed pattern as instructions of a machine that can be in many places at once: what makes matching linear.
import { assertNever } from '../assert.ts';
import { type Result, err, ok } from '../result.ts';
import type { Assertion, ByteSet, Node } from './syntax-tree.ts';

/** One instruction. Branches prefer their first target: that is the match that a backtracking engine would find. */
export type Instruction =
  | { readonly kind: 'bytes'; readonly set: ByteSet; readonly next: number }
  | { readonly kind: 'branch'; readonly first: number; readonly second: number }
  | { readonly kind: 'assertion'; readonly assertion: Assertion; readonly next: number }
  /** Notes the position in a slot: group n begins in slot 2n and ends in 2n + 1. */
  | { readonly kind: 'save'; readonly slot: number; readonly next: number }
  | { readonly kind: 'match' };

export interface Program {
  readonly instructions: readonly Instruction[];
  readonly start: number;
  readonly captures: number;
}

/** Counted repetitions are written out; what grows beyond this is refused. */
const maxInstructions = 10_000;

/** Compiles a parsed pattern; null where it becomes too big. */
export function compileProgram(root: Node, captures: number): Result<Program, string> {
  const compiler = new Compiler();
  const match = compiler.emit({ kind: 'match' });
  const start = compiler.compile(root, match);
  if (compiler.isTooBig) return err('it is too big');
  return ok({ instructions: compiler.instructions, start, captures });
}

/** Emits from the end to the start: each instruction knows what follows it. */
class Compiler {
  readonly instructions: Instruction[] = [];

  get isTooBig(): boolean {
    return this.instructions.length > maxInstructions;
  }

  emit(instruction: Instruction): number {
    this.instructions.push(instruction);
    return this.instructions.length - 1;
  }

  /** Where `node` begins if `next` follows it. */
  compile(node: Node, next: number): number {
    if (this.isTooBig) return next;
    switch (node.kind) {
      case 'bytes':
        return this.emit({ kind: 'bytes', set: node.set, next });
      case 'assertion':
        return this.emit({ kind: 'assertion', assertion: node.assertion, next });
      case 'concatenation':
        return node.parts.reduceRight((following, part) => this.compile(part, following), next);
      case 'alternation':
        return node.parts
          .map((part) => this.compile(part, next))
          .reduceRight((second, first) => this.emit({ kind: 'branch', first, second }));
      case 'capture': {
        const end = this.emit({ kind: 'save', slot: node.index * 2 + 1, next });
        return this.emit({ kind: 'save', slot: node.index * 2, next: this.compile(node.node, end) });
      }
      case 'repetition':
        return this.compileRepetition(node, next);
      default:
        return assertNever(node);
    }
  }

  private compileRepetition(node: Node & { kind: 'repetition' }, next: number): number {
    let following = next;
    let required = node.min;
    if (node.max < 0) {
      const loop = this.emit({ kind: 'branch', first: next, second: next });
      const body = this.compile(node.node, loop);
      this.instructions[loop] = this.branch(body, next, node.isGreedy);
      // `x+` is `x*` entered behind its branch: no second copy of x.
      following = required > 0 ? body : loop;
      if (required > 0) required--;
    } else {
      for (let count = node.min; count < node.max && !this.isTooBig; count++) {
        const body = this.compile(node.node, following);
        following = this.emit(this.branch(body, next, node.isGreedy));
      }
    }
    for (let count = 0; count < required && !this.isTooBig; count++) {
      following = this.compile(node.node, following);
    }
    return following;
  }

  private branch(body: number, next: number, isGreedy: boolean): Instruction {
    return isGreedy
      ? { kind: 'branch', first: body, second: next }
      : { kind: 'branch', first: next, second: body };
  }
}
