/** Reads the bodies of requests. */
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { z } from 'zod';
import { RequestRefused } from './failure.ts';

/** Of requests that hold no manifests. */
export const maxBodyBytes = 64 * 1024;

/** Refuses bodies that are larger, as they come. */
export function limitBody(maxSize: number): MiddlewareHandler {
  return bodyLimit({
    maxSize,
    onError: () => {
      throw new RequestRefused(413, 'HEDDLE_API_TOO_LARGE', `A request may hold ${maxSize} bytes at most.`);
    },
  });
}

/** The body, if it is JSON of the form that it should have. */
export async function readBody<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  let json: unknown;
  try {
    json = await context.req.json();
  } catch (error) {
    if (error instanceof RequestRefused) throw error;
    throw new RequestRefused(400, 'HEDDLE_API_BAD_REQUEST', 'The request is not JSON.');
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new RequestRefused(
    400,
    'HEDDLE_API_BAD_REQUEST',
    'The request does not have the form it should have.',
    {
      problems: parsed.error.issues.map((issue) => ({
        code: 'HEDDLE_API_BAD_REQUEST',
        severity: 'error' as const,
        message: issue.message,
        path: issue.path.join('.'),
      })),
    },
  );
}
