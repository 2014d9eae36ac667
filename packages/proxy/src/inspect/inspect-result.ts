/** What an inspector knows after the bytes so far. Inspectors are pure state machines: bytes in, one of these out. */
export const InspectResult = {
  /** More bytes are needed to tell. */
  needMore: 0,
  /** It is what was looked for; what was found stands in the inspector. */
  found: 1,
  /** It is something else. */
  notFound: 2,
  /** It looks like it and is longer than may be kept. */
  tooLarge: 3,
} as const;

export type InspectResult = (typeof InspectResult)[keyof typeof InspectResult];
