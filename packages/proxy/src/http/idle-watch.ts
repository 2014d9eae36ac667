// Hot path.
import type { TimerWheelEntry } from '@heddle/base';

/** What may stand still for too long. */
export interface IdleWatched {
  /** The time is up: whether something has moved meanwhile is for the watched one to say. */
  onIdleCheck(): void;
}

/** Fires when nothing has moved for `stream_idle_timeout`; coarse: between one and two timeouts after the last byte. */
export class IdleWatch implements TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  private readonly watched: IdleWatched;

  constructor(watched: IdleWatched) {
    this.watched = watched;
  }

  onTimeout(): void {
    this.watched.onIdleCheck();
  }
}
