// Where the two proxies differ on purpose, with the reason; everything else must be the same. A difference that has gone
// fails as well: it has to leave this file.
import type { Observation, SeenMessage } from './support/case.ts';

/** One case in which they differ: what each shows of the parts that may differ. */
export interface Difference {
  /** Name of the case. */
  readonly name: string;
  readonly ours: Partial<Observation>;
  readonly theirs: Partial<Observation>;
  readonly reason: string;
}

export const differences: readonly Difference[] = [];

/**
 * What differs in every case alike. Replies of a proxy's own: ours say in their body what is wrong and what to do (design
 * D6), Envoy's say less or nothing; status and the other fields are the same.
 */
export function withoutOwnWords(observation: Observation): Observation {
  return { ...observation, responses: observation.responses.map(withoutOwnBody) };
}

function withoutOwnBody(message: SeenMessage): SeenMessage {
  if (message.fields.includes('x-upstream: yes') || message.line.includes(' 1')) return message;
  if (message.line.includes(' 200 ')) return message;
  const fields = message.fields.filter((field) => !/^(?:content-length|content-type): /.test(field));
  return { ...message, fields, framing: 'none', body: '' };
}
