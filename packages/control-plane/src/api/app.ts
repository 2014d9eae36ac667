/** The HTTP API's routes and what stands before them. */
import { errorMessage, HeddleError, type Clock, type Logger } from '@heddle/base';
import { prometheusContentType } from '@heddle/telemetry';
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Authenticator } from './authenticator.ts';
import type { ApiBackend } from './backend.ts';
import { answerFailure, RequestRefused } from './failure.ts';
import { limitBody, maxBodyBytes, readBody } from './read-body.ts';
import { openApiDocument } from './openapi.ts';
import { namespaceFor, requireNamespaces, requireRole, requireUnbound, type Principal } from './principal.ts';
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
} from './schemas.ts';
import { contentSecurityPolicy, readStaticFile } from './static-files.ts';
import { trafficStream } from './traffic-stream.ts';
import { addTokens } from './token-routes.ts';
import type { ApplyRequest, CertificateSummary, RollbackRequest, TrafficEvent, WhoAmI } from './types.ts';

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

export interface Variables {
  /** Who makes a request. */
  principal: Principal;
}
type ApiContext = Context<{ Variables: Variables }>;

const sessionCookie = 'heddle_session';
const maxManifestBytes = 16 * 1024 * 1024;

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
  app.get('/openapi.json', (context) => context.json(openApiDocument(options.backend.status().version)));
  addLogin(app, options);
  app.use('/metrics', authenticate(options.authenticator));
  app.use('/api/*', authenticate(options.authenticator), authorize);
  app.get('/metrics', (context) =>
    context.body(options.backend.metrics(), 200, { 'Content-Type': prometheusContentType }),
  );
  addReads(app, options);
  addChanges(app, options);
  addTokens(app, options);
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

export type Api = Hono<{ Variables: Variables }>;

function addLogin(app: Api, { authenticator }: ApiOptions): void {
  app.post('/api/v1/login', limitBody(maxBodyBytes), async (context) => {
    checkRequestOrigin(context, false);
    const { token } = await readBody(context, loginSchema);
    const session = await authenticator.login(token);
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

function addReads(app: Api, { backend, clock, authenticator }: ApiOptions): void {
  app.get('/api/v1/status', (context) => context.json(backend.status()));
  app.get('/api/v1/whoami', (context) => {
    const { subject, role, namespace, expiresAt } = context.get('principal');
    return context.json({ subject, role, namespace, expiresAt } satisfies WhoAmI);
  });
  app.get('/api/v1/services', (context) =>
    context.json({ services: ownOf(context.get('principal'), backend.services().services) }),
  );
  app.get('/api/v1/endpoints', (context) => {
    const namespace = namespaceFor(context.get('principal'), context.req.query('namespace'));
    return context.json(backend.endpoints(namespace));
  });
  app.get('/api/v1/proxies', (context) =>
    context.json({ proxies: ownOf(context.get('principal'), backend.proxies().proxies) }),
  );
  app.get('/api/v1/certificates', async (context) => {
    const { namespace } = context.get('principal');
    const { certificates } = await backend.certificates();
    const isShown = ({ identity, kind }: CertificateSummary): boolean =>
      namespace === null || kind === 'root' || identity.includes(`/ns/${namespace}/`);
    return context.json({ certificates: certificates.filter(isShown) });
  });
  app.get('/api/v1/traffic', (context) => {
    const seconds = secondsSchema.safeParse(context.req.query('seconds') ?? '300');
    if (!seconds.success) throw badQuery('"seconds" must be a whole number from 1 to 3600.');
    const { services, ...rest } = backend.traffic(seconds.data);
    return context.json({ ...rest, services: ownOf(context.get('principal'), services) });
  });
  app.get('/api/v1/traffic/stream', (context) => {
    const principal = context.get('principal');
    const latest = (): TrafficEvent => {
      const { services, ...rest } = backend.latestTraffic();
      return { ...rest, services: ownOf(principal, services) };
    };
    return context.body(
      trafficStream(clock, latest, (end) => authenticator.whenOver(principal, end)),
      200,
      { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' },
    );
  });
  app.get('/api/v1/analysis', (context) => {
    const namespace = namespaceFor(context.get('principal'), context.req.query('namespace'));
    return context.json(backend.analysis(namespace));
  });
  app.get('/api/v1/history', async (context) => {
    const limit = limitSchema.safeParse(context.req.query('limit') ?? '100');
    if (!limit.success) throw badQuery('"limit" must be a whole number from 1 to 1000.');
    const { kind, name, namespace = 'default' } = context.req.query();
    if ((kind === undefined) !== (name === undefined))
      throw badQuery('"kind" and "name" go together: they name one object.');
    const object = kind === undefined || name === undefined ? undefined : { kind, namespace, name };
    const found = await backend.history(limit.data, object);
    if (found === undefined) throw unknownPlural(kind ?? '');
    const entries = found.entries.flatMap((entry) => ownChanges(context.get('principal'), entry) ?? []);
    return context.json({ entries });
  });
  app.get('/api/v1/history/:revision', async (context) => {
    const text = context.req.param('revision');
    const revision = revisionSchema.safeParse(text);
    const whole = revision.success ? await backend.historyOf(revision.data) : undefined;
    const found = whole && ownChanges(context.get('principal'), whole);
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
    const namespace = namespaceFor(context.get('principal'), context.req.query('namespace'));
    const found = backend.resources(plural, namespace);
    if (found === undefined) throw unknownPlural(plural);
    return context.json(found);
  });
  app.get('/api/v1/resources/:plural/:namespace/:name', (context) => {
    const { plural, namespace, name } = context.req.param();
    requireNamespaces(context.get('principal'), [namespace]);
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

function addChanges(app: Api, { backend }: ApiOptions): void {
  app.post('/api/v1/apply', limitBody(maxManifestBytes), async (context) => {
    const request: ApplyRequest = await readBody(context, applySchema);
    const outcome = await backend.apply(request, context.get('principal'));
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
    const outcome = await backend.diff(await readBody(context, diffSchema), context.get('principal'));
    if (!outcome.ok)
      throw new RequestRefused(422, 'HEDDLE_DIFF_REFUSED', 'What was sent has problems.', {
        problems: outcome.error,
      });
    return context.json(outcome.value);
  });
  app.post('/api/v1/delete', limitBody(maxManifestBytes), async (context) => {
    const outcome = await backend.delete(await readBody(context, deleteSchema), context.get('principal'));
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
    const principal = context.get('principal');
    if (request.object === undefined) requireUnbound(principal);
    else requireNamespaces(principal, [request.object.namespace]);
    const outcome = await backend.rollback(request, principal);
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
}

/** What is of the namespaces that somebody may look at. */
function ownOf<T extends { readonly namespace: string }>(
  { namespace }: Principal,
  list: readonly T[],
): readonly T[] {
  return namespace === null ? list : list.filter((item) => item.namespace === namespace);
}

/** What a commit did there; undefined where that is nothing. */
function ownChanges<T extends { readonly changes: readonly { readonly namespace: string }[] }>(
  principal: Principal,
  entry: T,
): T | undefined {
  const changes = ownOf(principal, entry.changes);
  return changes.length === 0 && entry.changes.length > 0 ? undefined : { ...entry, changes };
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

/** Lets through who bears a token or has a session. */
function authenticate(authenticator: Authenticator): MiddlewareHandler<{ Variables: Variables }> {
  return async (context, next) => {
    const bearer = /^Bearer ([^\s]+)$/i.exec(context.req.header('authorization') ?? '')?.[1];
    const session = bearer === undefined ? getCookie(context, sessionCookie) : undefined;
    checkRequestOrigin(context, session !== undefined);
    const principal =
      bearer === undefined
        ? session === undefined
          ? undefined
          : authenticator.principalOfSession(session)
        : await authenticator.principalOf(bearer);
    if (principal === undefined)
      throw new RequestRefused(
        401,
        bearer === undefined ? 'HEDDLE_API_UNAUTHENTICATED' : 'HEDDLE_API_WRONG_TOKEN',
        bearer === undefined
          ? 'This needs a token or a login.'
          : "This token is not valid for this control plane's API.",
        { hint: 'The command line reads the token from admin-token in the store directory.' },
      );
    context.set('principal', principal);
    await next();
  };
}

/** Changes that are none, whatever their method. */
const looks: ReadonlySet<string> = new Set(['/api/v1/diff']);

/** Lets through who has the role for what is asked: what is not known to need less needs the most. */
const authorize: MiddlewareHandler<{ Variables: Variables }> = async (context, next) => {
  const { method, path } = context.req;
  const isLook = method === 'GET' || method === 'HEAD' || looks.has(path);
  const isToken = path === '/api/v1/tokens' || path.startsWith('/api/v1/tokens/');
  const isChange = ['/api/v1/apply', '/api/v1/delete', '/api/v1/rollback'].includes(path);
  requireRole(
    context.get('principal'),
    isToken ? 'admin' : isLook ? 'viewer' : isChange ? 'operator' : 'admin',
  );
  await next();
};

function checkRequestOrigin(context: ApiContext, byCookie: boolean): void {
  const { req } = context;
  checkOrigin({ method: req.method, host: req.header('host'), origin: req.header('origin'), byCookie });
}
