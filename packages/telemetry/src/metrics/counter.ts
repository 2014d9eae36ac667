// Hot path.
/** A number that only grows. Count with `counter.value++` or `counter.value += n`. */
export class Counter {
  value = 0;
}
