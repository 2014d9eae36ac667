// Hot path.
/** A number of 64 bits, as two of 32 without sign. */
export class Hash64 {
  high = 0;
  low = 0;

  set(high: number, low: number): void {
    this.high = high >>> 0;
    this.low = low >>> 0;
  }

  /** One bit to the left, round the end. */
  rotate(): void {
    this.set((this.high << 1) | (this.low >>> 31), (this.low << 1) | (this.high >>> 31));
  }

  xor({ high, low }: Hash64): void {
    this.set(this.high ^ high, this.low ^ low);
  }

  /** The rest of dividing by a number below 2^37. */
  modulo(divisor: number): number {
    let rest = this.high % divisor;
    rest = (rest * 65_536 + (this.low >>> 16)) % divisor;
    return (rest * 65_536 + (this.low & 0xffff)) % divisor;
  }
}
