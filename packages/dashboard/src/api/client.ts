import type { ApiErrorBody, ApiProblem } from '../generated/api.ts';

/**
 * Why a request brought nothing. `unreachable`: nobody answered. `unauthorized`: the session is over, or never was.
 * `refused`: the control plane answered, and said no.
 */
export interface ApiFailure {
  readonly kind: 'unreachable' | 'unauthorized' | 'refused';
  /** The control plane's stable code, empty where it sent none. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly problems?: readonly ApiProblem[];
}

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: ApiFailure };

/** The control plane answers in milliseconds; after this long it counts as gone. */
const TIMEOUT_MS = 8000;

/** The part of `fetch` that is used, so that tests can stand in. */
export type Fetch = (url: string, options: RequestInit) => Promise<Response>;

/** Talks to the control plane that served the page. Failures are values; nothing throws. */
export class ApiClient {
  private readonly fetch: Fetch;

  constructor(fetch: Fetch) {
    this.fetch = fetch;
  }

  /** Asks for `path`, such as `/api/v1/status`. */
  get<T>(path: string): Promise<Answer<T>> {
    return this.send<T>(path, {});
  }

  /** Sends a body of JSON; the value is null where the answer has no body. */
  post<T>(path: string, body: object): Promise<Answer<T | null>> {
    return this.send<T | null>(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  private async send<T>(path: string, options: RequestInit): Promise<Answer<T>> {
    let response: Response;
    try {
      response = await this.fetch(path, {
        credentials: 'same-origin',
        cache: 'no-store',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...options,
      });
      if (!response.ok) return { ok: false, failure: await failureOf(response) };
      // What the answer holds is the control plane's to guarantee; both sides share the types.
      return { ok: true, value: (response.status === 204 ? null : await response.json()) as T };
    } catch {
      return {
        ok: false,
        failure: { kind: 'unreachable', code: '', message: 'The control plane does not answer.' },
      };
    }
  }
}

async function failureOf(response: Response): Promise<ApiFailure> {
  const kind = response.status === 401 ? 'unauthorized' : 'refused';
  try {
    const { error } = (await response.json()) as ApiErrorBody;
    return { ...error, kind };
  } catch {
    return { kind, code: '', message: `The control plane answered with status ${response.status}.` };
  }
}
