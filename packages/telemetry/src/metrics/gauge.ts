// Hot path.
/** A number that goes up and down. Set it with `gauge.value = n`. */
export class Gauge {
  /** It has been set, be it to 0. */
  isUsed = false;
  private current = 0;

  get value(): number {
    return this.current;
  }

  set value(value: number) {
    this.current = value;
    this.isUsed = true;
  }
}
