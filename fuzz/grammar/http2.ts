// Changes to sequences of frames that know where frames begin, so that most of what comes out is still read as frames.
import type { SeededRandom } from '@heddle/testkit';
import { mutate } from '../mutate.ts';

const headerBytes = 9;
const largest = 20_000;

function framesOf(input: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < input.length;) {
    const length = ((input[at]! << 16) | (input[at + 1]! << 8) | input[at + 2]!) >>> 0;
    const end =
      at + headerBytes <= input.length ? Math.min(input.length, at + headerBytes + length) : input.length;
    frames.push(input.subarray(at, end));
    at = end;
  }
  return frames;
}

/** The frame with another payload, and the length that belongs to it. */
function withPayload(frame: Uint8Array, payload: Uint8Array): Uint8Array {
  const changed = new Uint8Array(headerBytes + payload.length);
  changed.set(frame.subarray(0, headerBytes));
  changed.set(payload, headerBytes);
  changed[0] = payload.length >>> 16;
  changed[1] = payload.length >>> 8;
  changed[2] = payload.length;
  return changed;
}

function changeFrame(frame: Uint8Array, corpus: readonly Uint8Array[], random: SeededRandom): Uint8Array {
  if (frame.length < headerBytes) return frame;
  const changed = Uint8Array.from(frame);
  switch (random.integer(0, 4)) {
    case 0:
      changed[3] = random.integer(0, 10);
      return changed;
    case 1:
      changed[4] = changed[4]! ^ (1 << random.integer(0, 7));
      return changed;
    case 2:
      changed[8] = random.integer(0, 12);
      return changed;
    default:
      return withPayload(frame, mutate(frame.subarray(headerBytes), corpus, random));
  }
}

/** Moves, repeats, drops and changes frames; now and then bytes, whatever they mean. */
export function mutateFrames(
  input: Uint8Array,
  corpus: readonly Uint8Array[],
  random: SeededRandom,
): Uint8Array {
  if (random.chance(0.1)) return mutate(input, corpus, random);
  const frames = framesOf(input);
  for (let left = random.integer(1, 3); left > 0; left--) {
    const at = random.integer(0, Math.max(0, frames.length - 1));
    const frame = frames[at] ?? new Uint8Array(0);
    switch (random.integer(0, 5)) {
      case 0:
        frames.splice(at, 1);
        break;
      case 1:
        frames.splice(
          random.integer(0, frames.length),
          0,
          ...Array.from({ length: random.integer(1, 5) }, () => frame),
        );
        break;
      case 2:
        frames.splice(at, 0, random.pick([new Uint8Array(0), ...framesOf(random.pick(corpus))]));
        break;
      default:
        frames[at] = changeFrame(frame, corpus, random);
    }
  }
  const whole = Buffer.concat(frames);
  return whole.length > largest ? whole.subarray(0, largest) : whole;
}
