import type { Clock, Timer } from '@heddle/base';
import type { TrafficEvent } from './types.ts';

const intervalMs = 1000;

/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): one `traffic` now and one each
 * second. A reader that is slower than that misses some instead of making us keep them. `whenOver` calls when the reader
 * may read no longer, and returns how to stop that.
 */
export function trafficStream(
  clock: Clock,
  latest: () => TrafficEvent,
  whenOver: (end: () => void) => () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let timer: Timer | null = null;
  let forget = (): void => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const tick = (): void => {
        if ((controller.desiredSize ?? 0) > 0) {
          controller.enqueue(encoder.encode(`event: traffic\ndata: ${JSON.stringify(latest())}\n\n`));
        }
        timer = clock.setTimer(intervalMs, tick);
      };
      tick();
      forget = whenOver(() => {
        timer?.cancel();
        forget();
        controller.close();
      });
    },
    cancel() {
      timer?.cancel();
      forget();
    },
  });
}
