// Hot path.
import type { Clock } from '@heddle/base';
import { Field } from '../codec/field.ts';

/** The `Date` header (RFC 9110 §5.6.7), made once a second. */
export class HttpDate {
  private readonly clock: Clock;
  private second = -1;
  private current = new Field('date', '');

  constructor(clock: Clock) {
    this.clock = clock;
  }

  field(): Field {
    const second = Math.floor(this.clock.now() / 1000);
    if (second !== this.second) {
      this.second = second;
      this.current = new Field('date', new Date(second * 1000).toUTCString());
    }
    return this.current;
  }
}
