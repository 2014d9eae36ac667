// Hot path.
import type { Clock } from '@heddle/base';

/** The `Date` header's value (RFC 9110 §5.6.7), made once a second. */
export class HttpDate {
  private readonly clock: Clock;
  private second = -1;
  private text = '';

  constructor(clock: Clock) {
    this.clock = clock;
  }

  now(): string {
    const second = Math.floor(this.clock.now() / 1000);
    if (second !== this.second) {
      this.second = second;
      this.text = new Date(second * 1000).toUTCString();
    }
    return this.text;
  }
}
