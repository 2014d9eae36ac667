// What passes between the admin interface's connection and its pages.

/** One question. */
export interface AdminRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** One answer. A body in parts is made while it is sent, a millisecond's worth at a time. */
export interface AdminResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Iterable<string>;
}

/** Answers questions; rejects only where something is broken. */
export type AdminHandler = (request: AdminRequest) => AdminResponse | Promise<AdminResponse>;

/** A parameter that can't be used: the sentence becomes a 400, or where it names what isn't there a 404. */
export class BadAdminRequest extends Error {
  readonly status: 400 | 404;

  constructor(message: string, status: 400 | 404 = 400) {
    super(message);
    this.status = status;
  }
}

/** Makes plain text of a sentence or a listing. */
export function textResponse(body: string | Iterable<string>, status = 200): AdminResponse {
  return { status, contentType: 'text/plain; charset=UTF-8', body };
}

/** Makes JSON, indented by one space as Envoy does. */
export function jsonResponse(value: unknown): AdminResponse {
  return { status: 200, contentType: 'application/json', body: `${JSON.stringify(value, null, 1)}\n` };
}

/** One of the parameter's possible values; the first where it is absent. */
export function choiceOf<T extends string>(query: URLSearchParams, name: string, choices: readonly T[]): T {
  const value = query.get(name);
  if (value === null || value === '') return choices[0]!;
  const choice = choices.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
  if (choice !== undefined) return choice;
  throw new BadAdminRequest(`${name}=${value} is none of ${choices.join(', ')}\n`);
}
