// Hot path.
/** A number that goes up and down. Set it with `gauge.value = n`. */
export class Gauge {
  value = 0;
}
