// VirtualService: the full field set of networking.istio.io v1, v1beta1 and v1alpha3, which are the same.
import { z } from 'zod';
import { atMostOne, duration, int32, portNumber, portSelector, textMap, uint32, wrapper } from './fields.ts';
import { notYet } from './support.ts';

const stringMatchKinds = ['exact', 'prefix', 'regex'];

const stringMatch = z
  .strictObject({
    exact: z.string().optional(),
    prefix: z.string().optional(),
    regex: z.string().optional(),
  })
  .check(atMostOne(stringMatchKinds));

const percent = z.strictObject({ value: z.number().min(0).max(100).optional() });

const destination = z.strictObject({
  host: z.string(),
  subset: z.string().optional(),
  port: portSelector.optional(),
});

const headerOperations = z.strictObject({
  set: textMap.optional(),
  add: textMap.optional(),
  remove: z.array(z.string()).optional(),
});

const headers = z.strictObject({
  request: headerOperations.optional(),
  response: headerOperations.optional(),
});

const httpMatch = z.strictObject({
  name: z.string().optional(),
  uri: stringMatch.optional(),
  scheme: stringMatch.optional(),
  method: stringMatch.optional(),
  authority: stringMatch.optional(),
  headers: z.record(z.string(), stringMatch).optional(),
  withoutHeaders: z.record(z.string(), stringMatch).optional(),
  queryParams: z.record(z.string(), stringMatch).optional(),
  ignoreUriCase: z.boolean().optional(),
  port: portNumber.optional(),
  sourceLabels: textMap.optional(),
  sourceNamespace: z.string().optional(),
  gateways: z.array(z.string()).optional(),
  statPrefix: notYet('statistics per route in its own proxy, only in Envoy,', z.string()),
});

const httpRoute = z.strictObject({
  destination,
  weight: int32.min(0).optional(),
  headers: headers.optional(),
});

const redirect = z
  .strictObject({
    uri: z.string().optional(),
    prefixRewrite: z.string().optional(),
    authority: z.string().optional(),
    port: portNumber.optional(),
    derivePort: z.enum(['FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT']).optional(),
    scheme: z.string().optional(),
    redirectCode: uint32.optional(),
  })
  .check(atMostOne(['port', 'derivePort']));

const directResponse = z.strictObject({
  status: uint32,
  body: z
    .strictObject({ string: z.string().optional(), bytes: z.base64().optional() })
    .check(atMostOne(['string', 'bytes']))
    .optional(),
});

const rewrite = z.strictObject({
  uri: z.string().optional(),
  authority: z.string().optional(),
  uriRegexRewrite: z
    .strictObject({ match: z.string().optional(), rewrite: z.string().optional() })
    .optional(),
});

const retries = z.strictObject({
  attempts: int32.min(0).optional(),
  perTryTimeout: duration.optional(),
  retryOn: z.string().optional(),
  retryRemoteLocalities: notYet('retries in other localities', z.boolean().nullable()),
  retryIgnorePreviousHosts: wrapper(z.boolean()),
  backoff: duration.optional(),
});

const delay = z
  .strictObject({
    fixedDelay: duration.optional(),
    exponentialDelay: notYet('delays that grow', duration),
    percent: int32.min(0).max(100).optional(),
    percentage: percent.optional(),
  })
  .check(atMostOne(['fixedDelay', 'exponentialDelay']));

const abort = z
  .strictObject({
    httpStatus: int32.min(200).max(599).optional(),
    grpcStatus: z.string().optional(),
    http2Error: notYet('aborts with an error of HTTP/2', z.string()),
    percentage: percent.optional(),
  })
  .check(atMostOne(['httpStatus', 'grpcStatus', 'http2Error']));

const corsPolicy = z.strictObject({
  allowOrigin: z.array(z.string()).optional(),
  allowOrigins: z
    .array(
      z
        .strictObject({
          exact: z.string().optional(),
          prefix: z.string().optional(),
          regex: z.string().optional(),
        })
        .check(atMostOne(stringMatchKinds)),
    )
    .optional(),
  allowMethods: z.array(z.string()).optional(),
  allowHeaders: z.array(z.string()).optional(),
  exposeHeaders: z.array(z.string()).optional(),
  maxAge: duration.optional(),
  allowCredentials: wrapper(z.boolean()),
  unmatchedPreflights: z.enum(['UNSPECIFIED', 'FORWARD', 'IGNORE']).optional(),
});

const httpRule = z.strictObject({
  name: z.string().optional(),
  match: z.array(httpMatch).optional(),
  route: z.array(httpRoute).optional(),
  redirect: redirect.optional(),
  directResponse: directResponse.optional(),
  delegate: z.strictObject({ name: z.string().optional(), namespace: z.string().optional() }).optional(),
  rewrite: rewrite.optional(),
  timeout: duration.optional(),
  retries: retries.optional(),
  fault: z.strictObject({ delay: delay.optional(), abort: abort.optional() }).optional(),
  mirror: destination.optional(),
  mirrors: z.array(z.strictObject({ destination, percentage: percent.optional() })).optional(),
  mirrorPercentage: percent.optional(),
  mirrorPercent: wrapper(uint32),
  mirror_percent: wrapper(uint32),
  corsPolicy: corsPolicy.optional(),
  headers: headers.optional(),
});

const l4Destination = z.strictObject({ destination, weight: int32.min(0).optional() });

const tlsRule = z.strictObject({
  match: z.array(
    z.strictObject({
      sniHosts: z.array(z.string()),
      destinationSubnets: z.array(z.string()).optional(),
      port: portNumber.optional(),
      sourceLabels: textMap.optional(),
      gateways: z.array(z.string()).optional(),
      sourceNamespace: z.string().optional(),
    }),
  ),
  route: z.array(l4Destination).optional(),
});

const tcpRule = z.strictObject({
  match: z
    .array(
      z.strictObject({
        destinationSubnets: z.array(z.string()).optional(),
        port: portNumber.optional(),
        sourceSubnet: z.string().optional(),
        sourceLabels: textMap.optional(),
        gateways: z.array(z.string()).optional(),
        sourceNamespace: z.string().optional(),
      }),
    )
    .optional(),
  route: z.array(l4Destination).optional(),
});

export const virtualServiceSpec = z.strictObject({
  hosts: z.array(z.string()).optional(),
  gateways: z.array(z.string()).optional(),
  http: z.array(httpRule).optional(),
  tls: notYet('TLS routes', z.array(tlsRule)),
  tcp: notYet('TCP routes', z.array(tcpRule)),
  exportTo: z.array(z.string()).optional(),
});

export type VirtualServiceSpec = Readonly<z.infer<typeof virtualServiceSpec>>;
export type HttpRule = z.infer<typeof httpRule>;
export type HttpMatch = z.infer<typeof httpMatch>;
export type HeaderRules = z.infer<typeof headers>;
export type StringMatch = z.infer<typeof stringMatch>;
export type Destination = z.infer<typeof destination>;
