// Hot path.
import type { Random } from '@heddle/base';
import { hex32, hexByte } from './hex.ts';

/** A position in a trace (https://www.w3.org/TR/trace-context/). */
export interface TraceContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero: the span that is the parent of whatever follows. */
  readonly spanId: string;
  /** The bits that we know: sampled (1) and random trace id (2). */
  readonly flags: number;
}

export const TraceFlag = { sampled: 1, random: 2 } as const;

const zeroTraceId = '0'.repeat(32);
const zeroSpanId = '0'.repeat(16);
const traceparentLength = 55;

function isLowerHex(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (!((code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66))) return false;
  }
  return true;
}

const dash = 0x2d;

/**
 * Parses a `traceparent` header (section 3.2). Null for anything that is not valid: the trace then starts anew and
 * `tracestate` is dropped. Versions above 00 may carry more fields, which are ignored.
 */
export function parseTraceparent(value: string): TraceContext | null {
  if (value.length < traceparentLength) return null;
  if (value.charCodeAt(2) !== dash || value.charCodeAt(35) !== dash || value.charCodeAt(52) !== dash)
    return null;
  if (!isLowerHex(value, 0, 2) || !isLowerHex(value, 3, 35)) return null;
  if (!isLowerHex(value, 36, 52) || !isLowerHex(value, 53, 55)) return null;
  const version = value.slice(0, 2);
  if (version === 'ff') return null;
  if (value.length > traceparentLength) {
    if (version === '00' || value.charCodeAt(traceparentLength) !== dash) return null;
  }
  const traceId = value.slice(3, 35);
  const spanId = value.slice(36, 52);
  if (traceId === zeroTraceId || spanId === zeroSpanId) return null;
  const known = TraceFlag.sampled | TraceFlag.random;
  return { traceId, spanId, flags: Number.parseInt(value.slice(53, 55), 16) & known };
}

/** Renders the header for the next hop, in version 00. */
export function formatTraceparent(context: TraceContext): string {
  return `00-${context.traceId}-${context.spanId}-${hexByte[context.flags]!}`;
}

/** A new span id. */
export function newSpanId(random: Random): string {
  const low = random.uint32();
  // All zero is no id; the one bit costs nothing that matters.
  return hex32(random.uint32()) + hex32(low === 0 ? 1 : low);
}

/** Starts a trace. */
export function newTraceContext(random: Random, isSampled: boolean): TraceContext {
  const last = random.uint32();
  const traceId =
    hex32(random.uint32()) + hex32(random.uint32()) + hex32(random.uint32()) + hex32(last === 0 ? 1 : last);
  const flags = TraceFlag.random | (isSampled ? TraceFlag.sampled : 0);
  return { traceId, spanId: newSpanId(random), flags };
}

/** A span within the parent's trace, with the parent's decision on sampling. */
export function childTraceContext(parent: TraceContext, random: Random): TraceContext {
  return { traceId: parent.traceId, spanId: newSpanId(random), flags: parent.flags };
}
