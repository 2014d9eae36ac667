// HTTPRoute of gateway.networking.k8s.io.
import { z } from 'zod';
import { int32, portNumber } from '../fields.ts';
import {
  backendFields,
  durationText,
  headerModifier,
  headerName,
  hostname,
  localReference,
  mirror,
  namedMatch,
  needsPort,
  objectReference,
  portOfService,
  preciseHostname,
  routeFields,
  sectionName,
  sessionPersistence,
} from './common.ts';

const pathModifier = z
  .strictObject({
    type: z.enum(['ReplaceFullPath', 'ReplacePrefixMatch']),
    replaceFullPath: z.string().max(1024).optional(),
    replacePrefixMatch: z.string().max(1024).optional(),
  })
  .refine(
    ({ type, replaceFullPath, replacePrefixMatch }) =>
      type === 'ReplaceFullPath'
        ? replaceFullPath !== undefined && replacePrefixMatch === undefined
        : replacePrefixMatch !== undefined && replaceFullPath === undefined,
    { message: 'must hold the one field that its type names', params: { isAboutPresence: true } },
  );

const redirect = z.strictObject({
  scheme: z.enum(['http', 'https']).optional(),
  hostname: preciseHostname.optional(),
  path: pathModifier.optional(),
  port: portNumber.optional(),
  statusCode: z.literal([301, 302, 303, 307, 308]).optional(),
});

const cors = z.strictObject({
  allowOrigins: z.array(z.string().max(253)).max(64).optional(),
  allowCredentials: z.boolean().optional(),
  allowMethods: z.array(z.string()).max(9).optional(),
  allowHeaders: z.array(z.string()).max(64).optional(),
  exposeHeaders: z.array(z.string()).max(64).optional(),
  maxAge: int32.min(1).optional(),
});

const externalAuth = z.strictObject({
  protocol: z.enum(['GRPC', 'HTTP']),
  backendRef: objectReference.refine(needsPort, portOfService),
  grpc: z.strictObject({ allowedHeaders: z.array(z.string()).max(64).optional() }).optional(),
  http: z
    .strictObject({
      path: z.string().optional(),
      allowedHeaders: z.array(z.string()).max(64).optional(),
      allowedResponseHeaders: z.array(z.string()).max(64).optional(),
    })
    .optional(),
  forwardBody: z.strictObject({ maxSize: int32.min(0).optional() }).optional(),
});

/** The field that holds what each type of filter needs. */
const filterFields = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  CORS: 'cors',
  ExternalAuth: 'externalAuth',
  ExtensionRef: 'extensionRef',
} as const;

const filter = z
  .strictObject({
    type: z.enum(Object.keys(filterFields) as (keyof typeof filterFields)[]),
    requestHeaderModifier: headerModifier.optional(),
    responseHeaderModifier: headerModifier.optional(),
    requestMirror: mirror.optional(),
    requestRedirect: redirect.optional(),
    urlRewrite: z
      .strictObject({ hostname: preciseHostname.optional(), path: pathModifier.optional() })
      .optional(),
    cors: cors.optional(),
    externalAuth: externalAuth.optional(),
    extensionRef: localReference.optional(),
  })
  .refine(
    (value) =>
      Object.values(filterFields).every(
        (field) => (value[field] !== undefined) === (filterFields[value.type] === field),
      ),
    { message: 'must hold the one field that its type names', params: { isAboutPresence: true } },
  );

type Filter = z.infer<typeof filter>;

/** Filters of which a rule can have one. */
const single = new Set([
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
  'RequestRedirect',
  'URLRewrite',
  'CORS',
]);

const filters = z
  .array(filter)
  .max(16)
  .refine(
    (list: readonly Filter[]) => {
      const types = list.map(({ type }) => type).filter((type) => single.has(type));
      return new Set(types).size === types.length;
    },
    { message: 'has a filter twice of which one is allowed', params: { isAboutPresence: true } },
  )
  .refine(
    (list: readonly Filter[]) =>
      !['RequestRedirect', 'URLRewrite'].every((wanted) => list.some(({ type }) => type === wanted)),
    { message: "can't both redirect and rewrite", params: { isAboutPresence: true } },
  );

const backend = z
  .strictObject({ ...backendFields, filters: filters.optional() })
  .refine(needsPort, portOfService);

/** Paths that begin with / and hold nothing that could be read in two ways. */
function isPlainPath(path: string): boolean {
  return (
    path.startsWith('/') &&
    !/\/\/|\/\.{1,2}(\/|$)|%2f|#/i.test(path) &&
    /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/.test(path)
  );
}

const match = z.strictObject({
  path: z
    .strictObject({
      type: z.enum(['Exact', 'PathPrefix', 'RegularExpression']).optional(),
      value: z.string().max(1024).optional(),
    })
    .refine(({ type = 'PathPrefix', value = '/' }) => type === 'RegularExpression' || isPlainPath(value), {
      message: 'must be an absolute path without //, /./, /../, %2f and #',
      path: ['value'],
    })
    .optional(),
  headers: z.array(namedMatch).max(16).optional(),
  queryParams: z
    .array(namedMatch.extend({ name: headerName }))
    .max(16)
    .optional(),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']).optional(),
});

const rule = z
  .strictObject({
    name: sectionName.optional(),
    matches: z.array(match).max(64).optional(),
    filters: filters.optional(),
    backendRefs: z.array(backend).max(16).optional(),
    timeouts: z
      .strictObject({ request: durationText.optional(), backendRequest: durationText.optional() })
      .optional(),
    retry: z
      .strictObject({
        codes: z.array(int32.min(400).max(599)).optional(),
        attempts: int32.optional(),
        backoff: durationText.optional(),
      })
      .optional(),
    sessionPersistence: sessionPersistence.optional(),
  })
  .refine(
    ({ filters: list = [], backendRefs = [] }) =>
      backendRefs.length === 0 || !list.some(({ type }) => type === 'RequestRedirect'),
    {
      message: 'makes no sense beside a redirect',
      path: ['backendRefs'],
      params: { isAboutPresence: true },
    },
  );

export const httpRouteSpec = z.strictObject({
  ...routeFields,
  hostnames: z.array(hostname).max(16).optional(),
  rules: z.array(rule).min(1).max(16).optional(),
});

export type HttpRouteSpec = Readonly<z.infer<typeof httpRouteSpec>>;
