import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { trimHeap } from '../interception/libc.ts';

type CollectGarbage = (options: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void;

/** How many collections V8 keeps the code of a function for that nobody has called since: its own number, and ours. */
const usualAge = 6;
const shortAge = 1;

/**
 * Gives back to the system what starting, or a burst, has left behind: parsers' trees, code that ran once, a heap that grew for
 * them, free pages of the C library. A quarter of an idle proxy, which would stay, because a proxy makes too little garbage for
 * V8 to come round again. Code that is needed after all is compiled again when it is called. Holds the thread for some 20 ms.
 */
export function trimMemory(): void {
  // The function is part of contexts that are made while the flag is set, and this one goes with what it collects.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as CollectGarbage;
  setFlagsFromString('--no-expose-gc');
  setFlagsFromString(`--bytecode-old-age=${shortAge}`);
  try {
    collect({ type: 'major', flavor: 'last-resort' });
  } finally {
    setFlagsFromString(`--bytecode-old-age=${usualAge}`);
  }
  trimHeap();
}
