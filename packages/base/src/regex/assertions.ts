// Hot path.
import { assertNever } from '../assert.ts';
import { type Assertion, wordBytes } from './syntax-tree.ts';

/** Stands for the byte before the first and after the last one. */
export const noByte = -1;

const newline = 0x0a;

/** Whether an assertion holds between two bytes. */
export function holds(assertion: Assertion, before: number, after: number): boolean {
  switch (assertion) {
    case 'text-begin':
      return before === noByte;
    case 'text-end':
      return after === noByte;
    case 'line-begin':
      return before === noByte || before === newline;
    case 'line-end':
      return after === noByte || after === newline;
    case 'word-edge':
      return isWord(before) !== isWord(after);
    case 'no-word-edge':
      return isWord(before) === isWord(after);
    default:
      return assertNever(assertion);
  }
}

function isWord(byte: number): boolean {
  return byte !== noByte && wordBytes[byte] === 1;
}
