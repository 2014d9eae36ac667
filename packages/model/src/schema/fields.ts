// The shapes that several of Istio's kinds share. Limits are those of Istio's published CRDs.
import { z } from 'zod';
import { inCel, letsOneBeSet } from './rules.ts';

/** A duration as protobuf's JSON and Go write it, `1m30s`, `100ms`, `1.5s`; at least one millisecond. */
export const duration = z.string().refine(
  inCel("duration(self) >= duration('1ms')", (text: string) => (parseDurationMs(text) ?? 0) >= 1),
  { message: 'must be a duration of at least 1ms, such as 5s, 100ms or 1m30s' },
);

/** A duration that may also be zero. */
export const durationOrZero = z.string().refine(
  inCel("duration(self) >= duration('0s')", (text: string) => parseDurationMs(text) !== undefined),
  { message: 'must be a duration, such as 5s, 100ms or 1m30s' },
);

export const uint32 = z.int().min(0).max(0xffff_ffff);
export const int32 = z.int().min(-0x8000_0000).max(0x7fff_ffff);
export const uint64 = z.int().min(0);

/** A protobuf wrapper: `null` means unset. */
export function wrapper<T extends z.ZodType>(schema: T): z.ZodOptional<z.ZodNullable<T>> {
  return schema.nullable().optional();
}

export const portNumber = z.int().min(1).max(65_535);

/** Istio's PortSelector. */
export const portSelector = z.strictObject({ number: portNumber });

export const textMap = z.record(z.string(), z.string());

/** A text that says something. */
export const nonEmpty = z.string().min(1);

/** A mapping whose content is somebody else's affair. */
export const anyMapping = z.looseObject({});

/** The name of an HTTP header, in any case. */
export const headerNameText = z
  .string()
  .regex(/^[-_A-Za-z0-9]+$/, 'must be the name of a header: letters, digits, - and _');

const millisecondsPer: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Go's longest duration, about 292 years. */
const maxDurationMs = 9_223_372_036_854;

/** Milliseconds of a Go duration, with fractions; undefined where the text is none. Negative durations are none. */
export function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  let rest = text;
  let total = 0;
  while (rest !== '') {
    const part = /^(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/.exec(rest);
    if (part === null) return undefined;
    total += Number(part[1]) * millisecondsPer[part[2]!]!;
    rest = rest.slice(part[0].length);
  }
  return text === '' || total > maxDurationMs ? undefined : total;
}

/** Says of an object which of several fields, of which at most one may be set, are set. */
export function setFields(value: object, names: readonly string[]): string[] {
  return names.filter((name) => (value as Record<string, unknown>)[name] !== undefined);
}

/** Refuses an object that sets more than one of the fields (a protobuf `oneof`). */
export function atMostOne(names: readonly string[]): (context: z.core.ParsePayload<object>) => void {
  return letsOneBeSet(names, (context: z.core.ParsePayload<object>) => {
    const set = setFields(context.value, names);
    if (set.length < 2) return;
    context.issues.push({
      code: 'custom',
      input: context.value,
      path: [set[1]!],
      params: { isAboutPresence: true },
      message: `stands beside ${set[0]!}, but only one of ${names.join(', ')} may be set`,
    });
  });
}

/** Refuses an object; `message` follows the name of the field at `path`, whose value it does not repeat. */
export function about(message: string, ...path: string[]): z.core.$ZodCustomParams {
  return { message, path, params: { isAboutPresence: true } };
}

/** Whether at most one of the fields is set. */
export function hasAtMostOne(value: object, names: readonly string[]): boolean {
  return setFields(value, names).length < 2;
}
