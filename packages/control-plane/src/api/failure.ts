/** How failures become answers: in this one place. */
import { HeddleError, type Problem } from '@heddle/base';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { ApiErrorBody } from './types.ts';

/** A refusal of a request: thrown by handlers, answered by `answerFailure`. */
export class RequestRefused extends HeddleError {
  readonly status: ContentfulStatusCode;
  readonly hint: string | undefined;
  readonly problems: readonly Problem[] | undefined;

  constructor(
    status: ContentfulStatusCode,
    code: string,
    message: string,
    more: { readonly hint?: string; readonly problems?: readonly Problem[] } = {},
  ) {
    super(code, message);
    this.status = status;
    this.hint = more.hint;
    this.problems = more.problems;
  }
}

/** Statuses of failures that come from deeper down. */
const statusOfCode: Readonly<Record<string, ContentfulStatusCode>> = {
  HEDDLE_API_FORBIDDEN: 403,
  HEDDLE_API_WRONG_TOKEN: 401,
  HEDDLE_OIDC_UNREACHABLE: 503,
  HEDDLE_STORE_CONFLICT: 409,
  HEDDLE_STORE_FAILED: 503,
  HEDDLE_STORE_COMPACTED: 410,
  HEDDLE_STORE_READ_ONLY: 409,
  HEDDLE_STORE_TOO_LARGE: 413,
  HEDDLE_NO_SUCH_REVISION: 404,
  HEDDLE_NOTHING_TO_ROLL_BACK: 409,
};

/** Answers with the API's error body. What isn't a `HeddleError` is a bug: its text stays in the log. */
export function answerFailure(context: Context, error: unknown): Response {
  if (!(error instanceof HeddleError)) {
    return answer(context, 500, {
      code: 'HEDDLE_INTERNAL',
      message: "The control plane failed to answer; its log says more. That is a bug of Heddle's.",
    });
  }
  const { code, message } = error;
  if (!(error instanceof RequestRefused))
    return answer(context, statusOfCode[code] ?? 500, { code, message });
  const { hint, problems } = error;
  return answer(context, error.status, {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(problems === undefined ? {} : { problems }),
  });
}

function answer(context: Context, status: ContentfulStatusCode, error: ApiErrorBody['error']): Response {
  return context.json({ error } satisfies ApiErrorBody, status);
}
