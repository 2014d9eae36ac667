// GRPCRoute, TLSRoute, TCPRoute and UDPRoute of gateway.networking.k8s.io.
import { z } from 'zod';
import {
  backendFields,
  backendReference,
  headerModifier,
  hostname,
  localReference,
  mirror,
  namedMatch,
  needsPort,
  portOfService,
  routeFields,
  sectionName,
  sessionPersistence,
} from './common.ts';

const grpcFilter = z.strictObject({
  type: z.enum(['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestMirror', 'ExtensionRef']),
  requestHeaderModifier: headerModifier.optional(),
  responseHeaderModifier: headerModifier.optional(),
  requestMirror: mirror.optional(),
  extensionRef: localReference.optional(),
});

const grpcMatch = z.strictObject({
  method: z
    .strictObject({
      type: z.enum(['Exact', 'RegularExpression']).optional(),
      service: z.string().max(1024).optional(),
      method: z.string().max(1024).optional(),
    })
    .refine(({ service, method }) => service !== undefined || method !== undefined, {
      message: 'must name a service or a method',
      params: { isAboutPresence: true },
    })
    .optional(),
  headers: z.array(namedMatch).max(16).optional(),
});

const grpcRule = z.strictObject({
  name: sectionName.optional(),
  matches: z.array(grpcMatch).max(64).optional(),
  filters: z.array(grpcFilter).max(16).optional(),
  backendRefs: z
    .array(
      z
        .strictObject({ ...backendFields, filters: z.array(grpcFilter).max(16).optional() })
        .refine(needsPort, portOfService),
    )
    .max(16)
    .optional(),
  sessionPersistence: sessionPersistence.optional(),
});

export const grpcRouteSpec = z.strictObject({
  ...routeFields,
  hostnames: z.array(hostname).max(16).optional(),
  rules: z.array(grpcRule).max(16).optional(),
});

const streamRule = z.strictObject({
  name: sectionName.optional(),
  backendRefs: z.array(backendReference).min(1).max(16),
});

export const tlsRouteSpec = z.strictObject({
  ...routeFields,
  hostnames: z.array(hostname).min(1).max(16),
  rules: z.array(streamRule).min(1).max(16),
});

/** Of TCPRoute and UDPRoute. */
export const streamRouteSpec = z.strictObject({
  ...routeFields,
  rules: z.array(streamRule).min(1).max(16),
});

export type GrpcRouteSpec = Readonly<z.infer<typeof grpcRouteSpec>>;
export type TlsRouteSpec = Readonly<z.infer<typeof tlsRouteSpec>>;
export type StreamRouteSpec = Readonly<z.infer<typeof streamRouteSpec>>;
