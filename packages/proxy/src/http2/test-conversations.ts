// What a peer might say: mostly sensible, now and then not. And what comes of it, however it is cut.
import type { SeededRandom } from '@heddle/testkit';
import { answer, connected, served } from './connections-under-test.ts';
import { FrameFlag, FrameType } from './frame.ts';
import type { RecordingHandler } from './test-handler.ts';
import {
  type RawPeer,
  block,
  counted,
  data,
  frame,
  getRequest,
  headers,
  postRequest,
  rstStream,
  settings,
  uint32,
  windowUpdate,
} from './test-peer.ts';

/** The role of the connection under test. */
export type Role = 'server' | 'client';

/** Streams that are open on a client before its server says anything. */
const requests = 5;

function head(role: Role, streamId: number, random: SeededRandom): Buffer {
  const end = random.chance(0.3) ? FrameFlag.endStream : 0;
  const own = role === 'server' ? (end === 0 ? postRequest : getRequest) : [[':status', '200'] as const];
  const more = Array.from({ length: random.integer(0, 4) }, (_, index) => [`x-${index}`, 'v'] as const);
  const fields = [...own, ...more];
  if (random.chance(0.03)) fields.push(['Bad', '1']);
  if (random.chance(0.7)) return headers(streamId, fields, end);
  const whole = block(...fields);
  const first = random.integer(1, whole.length - 1);
  return Buffer.concat([
    frame(FrameType.headers, end, streamId, whole.subarray(0, first)),
    frame(FrameType.continuation, FrameFlag.endHeaders, streamId, whole.subarray(first)),
  ]);
}

function body(streamId: number, random: SeededRandom): Buffer {
  const end = random.chance(0.3) ? FrameFlag.endStream : 0;
  const content = Buffer.alloc(
    random.chance(0.1) ? random.integer(1000, 16_000) : random.integer(1, 40),
    'body',
  );
  if (random.chance(0.8)) return data(streamId, content, end);
  const padding = random.integer(0, 30);
  return frame(
    FrameType.data,
    end | FrameFlag.padded,
    streamId,
    Buffer.concat([Buffer.from([padding]), content.subarray(0, 1000), Buffer.alloc(padding)]),
  );
}

/** One frame, or those of one header block. */
function say(streamId: number, random: SeededRandom): Buffer {
  switch (random.integer(0, 12)) {
    case 0:
      return rstStream(streamId, random.integer(0, 14));
    case 1:
      return windowUpdate(random.chance(0.5) ? 0 : streamId, random.integer(1, 1000));
    case 2:
      return frame(FrameType.ping, random.chance(0.5) ? FrameFlag.ack : 0, 0, Buffer.alloc(8, 'ping'));
    case 3:
      return settings([4, random.integer(0, 100_000)], [3, 100], [1, random.integer(0, 4096)]);
    case 4:
      return frame(FrameType.priority, 0, streamId, Buffer.concat([uint32(0), Buffer.from([7])]));
    case 5:
      return frame(
        random.integer(10, 255),
        random.integer(0, 255),
        streamId,
        Buffer.alloc(random.integer(0, 50)),
      );
    case 6:
      return headers(streamId, [['x-trailer', '1']], FrameFlag.endStream);
    case 7:
      // Whatever it is, it may be wrong in any way.
      return random.chance(0.1)
        ? frame(
            random.integer(0, 9),
            random.integer(0, 255),
            random.integer(0, 9),
            Buffer.alloc(random.integer(0, 12)),
          )
        : body(streamId, random);
    case 8:
      return random.chance(0.1)
        ? frame(FrameType.goaway, 0, 0, uint32(random.integer(0, 9), 0))
        : body(streamId, random);
    default:
      return body(streamId, random);
  }
}

/** Bytes of a peer, behind its preface and settings. */
export function randomConversation(role: Role, random: SeededRandom): Buffer {
  const frames: Buffer[] = [];
  const open: number[] = [];
  let next = 1;
  for (let left = random.integer(1, 30); left > 0; left--) {
    if (open.length === 0 || (random.chance(0.3) && (role === 'server' || next < 2 * requests))) {
      frames.push(head(role, next, random));
      open.push(next);
      next += 2;
    } else {
      frames.push(say(random.pick(open), random));
    }
  }
  return Buffer.concat(frames);
}

/** Answers as soon as a message is complete, and gives some requests up. */
function serve(handler: RecordingHandler): void {
  handler.onEvent = (name) => {
    if (name === 'end') answer(handler);
    else if (name === 'trailers') handler.stream!.pauseReading();
  };
}

function handlersOf(role: Role): {
  readonly peer: RawPeer;
  readonly handlers: () => Iterable<RecordingHandler>;
  readonly counters: () => object;
} {
  if (role === 'server') {
    const { peer, begun, settings: all } = served({ maxFields: 8 }, serve);
    return { peer, handlers: () => begun.values(), counters: () => counted(all) };
  }
  const { peer, request, settings: all } = connected({ maxFields: 8 });
  const handlers = Array.from({ length: requests }, () => request(false, 'POST'));
  return { peer, handlers: () => handlers, counters: () => counted(all) };
}

/** What a connection made of these bytes, cut at these places. */
export interface Outcome {
  /** By stream, what its handler was told. */
  readonly told: readonly (readonly string[])[];
  /** Frames sent, those aside that only say when bytes were given back. */
  readonly sent: readonly string[];
  /** Counters once the connection has been closed. */
  readonly counters: object;
}

/** Puts the bytes through a new connection. */
export function outcomeOf(role: Role, bytes: Buffer, cuts: readonly number[]): Outcome {
  const { peer, handlers, counters } = handlersOf(role);
  peer.received();
  peer.sendCut(bytes, cuts);
  const sent = peer.received().filter((text) => !text.startsWith('WINDOW_UPDATE'));
  peer.close();
  return { told: Array.from(handlers(), (handler) => handler.take()), sent, counters: counters() };
}
