// Which descriptors a thread has open. Node closes its own when a thread ends for whatever reason; those of this engine it does not
// know, and a listening socket that nobody accepts from would swallow its share of a port's connections.

/** More descriptors than a process may usually have. Memory is taken only for numbers that occur. */
const maxDescriptors = 1 << 20;
const bitsPerWord = 32;

/** One bit each, in memory that the thread which started this one can read once it has ended. */
export class DescriptorLedger {
  readonly memory: SharedArrayBuffer;
  private readonly words: Int32Array;

  constructor(memory = new SharedArrayBuffer(maxDescriptors / 8)) {
    this.memory = memory;
    this.words = new Int32Array(memory);
  }

  add(descriptor: number): void {
    const word = descriptor >>> 5;
    if (word < this.words.length) this.words[word]! |= 1 << (descriptor & 31);
  }

  /** To be called before it is closed: another thread may be given its number in the next moment. */
  remove(descriptor: number): void {
    const word = descriptor >>> 5;
    if (word < this.words.length) this.words[word]! &= ~(1 << (descriptor & 31));
  }

  /** All that are open. For the thread that started the owner, once that has ended. */
  list(): number[] {
    const descriptors: number[] = [];
    for (const [index, word] of this.words.entries()) {
      if (word === 0) continue;
      for (let bit = 0; bit < bitsPerWord; bit++) {
        if ((word & (1 << bit)) !== 0) descriptors.push(index * bitsPerWord + bit);
      }
    }
    return descriptors;
  }
}
