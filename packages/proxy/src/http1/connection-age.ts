import type { TimerWheelEntry } from '@heddle/base';

/** What has a longest age. */
export interface Aging {
  onTooOld(): void;
}

/** The timer of `max_connection_duration`: made only where there is one. */
export class AgeLimit implements TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  private readonly aging: Aging;

  constructor(aging: Aging) {
    this.aging = aging;
  }

  onTimeout(): void {
    this.aging.onTooOld();
  }
}
