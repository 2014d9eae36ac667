/** The HTTP API's routes and what stands before them. */
import { errorMessage, HeddleError, type Clock, type Logger } from '@heddle/base';
import { prometheusContentType } from '@heddle/telemetry';
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { z } from 'zod';
import type { Authenticator } from './authenticator.ts';
import type { ApiBackend } from './backend.ts';
import { answerFailure, RequestRefused } from './failure.ts';
import { checkHost, checkOrigin } from './request-guard.ts';
import {
  applySchema,
  deleteSchema,
  diffSchema,
  limitSchema,
  loginSchema,
  revisionSchema,
  rollbackSchema,
  secondsSchema,
  tokenSchema,
} from './schemas.ts';
import { contentSecurityPolicy, readStaticFile } from './static-files.ts';
import { trafficStream } from './traffic-stream.ts';
import type { ApplyRequest, RollbackRequest, TokenRequest, TokenResponse } from './types.ts';

export interface ApiOptions {
  readonly backend: ApiBackend;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where the dashboard's built files are; absent where there is none. */
  readonly dashboardDirectory?: string;
  /** Names besides this machine's loopback that requests may be for, in lower case. */
  readonly allowedHosts?: readonly string[];
}

/** Who makes a request: goes into the configuration's history. */
interface Variables {
  author: string;
}
type ApiContext = Context<{ Variables: Variables }>;

const sessionCookie = 'heddle_session';
const maxManifestBytes = 16 * 1024 * 1024;
const maxBodyBytes = 64 * 1024;

/** Makes the API. All of it works on `Request` and `Response`: no socket is opened here. */
export function createApi(options: ApiOptions): Hono<{ Variables: Variables }> {
  const app = new Hono<{ Variables: Variables }>();
  app.onError((error, context) => {
    if (!(error instanceof HeddleError))
      options.logger.error('An API request failed', { path: context.req.path, error: errorMessage(error) });
    return answerFailure(context, error);
  });
  app.use(securityHeaders);
  app.use(async (context, next) => {
    checkHost(context.req.header('host'), options.allowedHosts ?? []);
    await next();
  });
  app.get('/healthz', (context) => context.text('ok\n'));
  addLogin(app, options);
  app.use('/metrics', authenticate(options.authenticator));
  app.use('/api/*', authenticate(options.authenticator));
  app.get('/metrics', (context) =>
    context.body(options.backend.metrics(), 200, { 'Content-Type': prometheusContentType }),
  );
  addReads(app, options);
  addChanges(app, options);
  app.all('/api/*', () => {
    throw new RequestRefused(404, 'HEDDLE_API_NOT_FOUND', 'The API has nothing at this path.');
  });
  app.get('*', async (context) => {
    const file = await readStaticFile(options.dashboardDirectory, context.req.path);
    const headers = { 'Content-Type': file.contentType, 'Cache-Control': file.cacheControl };
    return context.body(file.body, file.status, headers);
  });
  return app;
}

type Api = Hono<{ Variables: Variables }>;

function addLogin(app: Api, { authenticator }: ApiOptions): void {
  app.post('/api/v1/login', limitBody(maxBodyBytes), async (context) => {
    checkRequestOrigin(context, false);
    const { token } = await readBody(context, loginSchema);
    const session = authenticator.login(token);
    if (session === undefined)
      throw new RequestRefused(401, 'HEDDLE_API_WRONG_TOKEN', 'This token is not valid.', {
        hint: 'heddle up prints the dashboard token at its first start; heddle token create --kind dashboard makes another.',
      });
    setCookie(context, sessionCookie, session, { httpOnly: true, sameSite: 'Strict', path: '/' });
    return context.body(null, 204);
  });
  app.post('/api/v1/logout', (context) => {
    checkRequestOrigin(context, true);
    const session = getCookie(context, sessionCookie);
    if (session !== undefined) authenticator.logout(session);
    deleteCookie(context, sessionCookie, { path: '/' });
    return context.body(null, 204);
  });
}

function addReads(app: Api, { backend, clock }: ApiOptions): void {
  app.get('/api/v1/status', (context) => context.json(backend.status()));
  app.get('/api/v1/services', (context) => context.json(backend.services()));
  app.get('/api/v1/endpoints', (context) => context.json(backend.endpoints(context.req.query('namespace'))));
  app.get('/api/v1/proxies', (context) => context.json(backend.proxies()));
  app.get('/api/v1/certificates', async (context) => context.json(await backend.certificates()));
  app.get('/api/v1/traffic', (context) => {
    const seconds = secondsSchema.safeParse(context.req.query('seconds') ?? '300');
    if (!seconds.success) throw badQuery('"seconds" must be a whole number from 1 to 3600.');
    return context.json(backend.traffic(seconds.data));
  });
  app.get('/api/v1/traffic/stream', (context) =>
    context.body(
      trafficStream(clock, () => backend.latestTraffic()),
      200,
      { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' },
    ),
  );
  app.get('/api/v1/history', async (context) => {
    const limit = limitSchema.safeParse(context.req.query('limit') ?? '100');
    if (!limit.success) throw badQuery('"limit" must be a whole number from 1 to 1000.');
    const { kind, name, namespace = 'default' } = context.req.query();
    if ((kind === undefined) !== (name === undefined))
      throw badQuery('"kind" and "name" go together: they name one object.');
    const object = kind === undefined || name === undefined ? undefined : { kind, namespace, name };
    const found = await backend.history(limit.data, object);
    if (found === undefined) throw unknownPlural(kind ?? '');
    return context.json(found);
  });
  app.get('/api/v1/history/:revision', async (context) => {
    const text = context.req.param('revision');
    const revision = revisionSchema.safeParse(text);
    const found = revision.success ? await backend.historyOf(revision.data) : undefined;
    if (found === undefined)
      throw new RequestRefused(
        404,
        'HEDDLE_NO_SUCH_REVISION',
        `The history holds no change of revision ${text}.`,
      );
    return context.json(found);
  });
  app.get('/api/v1/resources/:plural', (context) => {
    const { plural } = context.req.param();
    const found = backend.resources(plural, context.req.query('namespace'));
    if (found === undefined) throw unknownPlural(plural);
    return context.json(found);
  });
  app.get('/api/v1/resources/:plural/:namespace/:name', (context) => {
    const { plural, namespace, name } = context.req.param();
    if (backend.resources(plural, namespace) === undefined) throw unknownPlural(plural);
    const found = backend.resource(plural, namespace, name);
    if (found === undefined)
      throw new RequestRefused(
        404,
        'HEDDLE_NOT_FOUND',
        `There is no ${plural} "${name}" in namespace "${namespace}".`,
      );
    return context.json(found);
  });
}

function addChanges(app: Api, { backend, authenticator }: ApiOptions): void {
  app.post('/api/v1/apply', limitBody(maxManifestBytes), async (context) => {
    const request: ApplyRequest = await readBody(context, applySchema);
    const outcome = await backend.apply(request, context.get('author'));
    if (!outcome.ok)
      throw new RequestRefused(
        422,
        'HEDDLE_APPLY_REFUSED',
        'Nothing was stored: what was sent has problems.',
        {
          problems: outcome.error,
        },
      );
    return context.json(outcome.value);
  });
  app.post('/api/v1/diff', limitBody(maxManifestBytes), async (context) => {
    const outcome = await backend.diff(await readBody(context, diffSchema));
    if (!outcome.ok)
      throw new RequestRefused(422, 'HEDDLE_DIFF_REFUSED', 'What was sent has problems.', {
        problems: outcome.error,
      });
    return context.json(outcome.value);
  });
  app.post('/api/v1/delete', limitBody(maxManifestBytes), async (context) => {
    const outcome = await backend.delete(await readBody(context, deleteSchema), context.get('author'));
    if (!outcome.ok)
      throw new RequestRefused(
        422,
        'HEDDLE_DELETE_REFUSED',
        'Nothing was deleted: what was sent has problems.',
        {
          problems: outcome.error,
        },
      );
    return context.json(outcome.value);
  });
  app.post('/api/v1/rollback', limitBody(maxBodyBytes), async (context) => {
    // Absent and undefined mean the same here; JSON has no undefined.
    const request = (await readBody(context, rollbackSchema)) as RollbackRequest;
    const outcome = await backend.rollback(request, context.get('author'));
    if (outcome === null) throw unknownPlural(request.object?.kind ?? '');
    if (!outcome.ok)
      throw new RequestRefused(
        422,
        'HEDDLE_ROLLBACK_REFUSED',
        'Nothing was changed: what was stored then is refused now.',
        { problems: outcome.error },
      );
    return context.json(outcome.value);
  });
  app.post('/api/v1/tokens', limitBody(maxBodyBytes), async (context) => {
    const { kind, subject, ...rest } = await readBody(context, tokenSchema);
    if (kind !== 'join')
      return context.json({ token: authenticator.createToken(kind, subject) } satisfies TokenResponse);
    // Absent and undefined mean the same here; JSON has no undefined.
    return context.json(await backend.createJoinToken({ kind, ...rest } as TokenRequest));
  });
}

function badQuery(message: string): RequestRefused {
  return new RequestRefused(400, 'HEDDLE_API_BAD_REQUEST', message);
}

function unknownPlural(plural: string): RequestRefused {
  return new RequestRefused(404, 'HEDDLE_UNKNOWN_KIND', `There is no kind "${plural}".`, {
    hint: 'Known are virtualservices and destinationrules.',
  });
}

const securityHeaders: MiddlewareHandler = async (context, next) => {
  await next();
  const { headers } = context.res;
  headers.set('Content-Security-Policy', contentSecurityPolicy);
  headers.set('X-Content-Type-Options', 'nosniff');
  headers.set('X-Frame-Options', 'DENY');
  headers.set('Referrer-Policy', 'no-referrer');
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store');
};

/** Lets through who bears the admin's token or has a session. */
function authenticate(authenticator: Authenticator): MiddlewareHandler<{ Variables: Variables }> {
  return async (context, next) => {
    const bearer = /^Bearer ([^\s]+)$/i.exec(context.req.header('authorization') ?? '')?.[1];
    const session = bearer === undefined ? getCookie(context, sessionCookie) : undefined;
    checkRequestOrigin(context, session !== undefined);
    const subject =
      bearer === undefined
        ? session === undefined
          ? undefined
          : authenticator.subjectOfSession(session)
        : authenticator.subjectOf(bearer, 'admin');
    if (subject === undefined)
      throw new RequestRefused(
        401,
        bearer === undefined ? 'HEDDLE_API_UNAUTHENTICATED' : 'HEDDLE_API_WRONG_TOKEN',
        bearer === undefined
          ? 'This needs a token or a login.'
          : "This token is not valid for this control plane's API.",
        { hint: 'The command line reads the token from admin-token in the store directory.' },
      );
    context.set('author', subject);
    await next();
  };
}

function checkRequestOrigin(context: ApiContext, byCookie: boolean): void {
  const { req } = context;
  checkOrigin({ method: req.method, host: req.header('host'), origin: req.header('origin'), byCookie });
}

function limitBody(maxSize: number): MiddlewareHandler {
  return bodyLimit({
    maxSize,
    onError: () => {
      throw new RequestRefused(413, 'HEDDLE_API_TOO_LARGE', `A request may hold ${maxSize} bytes at most.`);
    },
  });
}

async function readBody<T>(context: ApiContext, schema: z.ZodType<T>): Promise<T> {
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
