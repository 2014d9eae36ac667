// MeshConfig: the settings of a whole mesh, and ProxyConfig as part of it.
import { z } from 'zod';
import { anyMapping, durationOrZero, int32, textMap, uint32, wrapper } from './fields.ts';
import { connectionPool, localityLbSetting, outlierDetection, tcpKeepalive, tls } from './traffic-policy.ts';
import { labelSelector } from './gateway-api/common.ts';

const texts = z.array(z.string()).optional();
const tlsVersion = z.enum(['TLS_AUTO', 'TLSV1_2', 'TLSV1_3']).optional();

const tlsSettings = z.strictObject({
  minProtocolVersion: tlsVersion,
  ecdhCurves: texts,
  cipherSuites: texts,
});

const service = { service: z.string(), port: uint32 };

/** The one field beside `name` that says what a provider is. What exactly is asked of it is the provider's affair. */
const providers = {
  envoyExtAuthzHttp: z.looseObject(service),
  envoyExtAuthzGrpc: z.looseObject(service),
  zipkin: z.looseObject(service),
  lightstep: anyMapping,
  datadog: z.looseObject(service),
  skywalking: z.looseObject(service),
  opencensus: anyMapping,
  opentelemetry: z.looseObject(service),
  stackdriver: anyMapping,
  prometheus: anyMapping,
  envoyFileAccessLog: anyMapping,
  envoyHttpAls: z.looseObject(service),
  envoyTcpAls: z.looseObject(service),
  envoyOtelAls: z.looseObject(service),
  sds: anyMapping,
};

const extensionProvider = z
  .strictObject({ name: z.string().min(1), ...z.strictObject(providers).partial().shape })
  .refine((provider) => Object.keys(provider).length === 2, {
    message: `must hold a name and one of ${Object.keys(providers).join(', ')}`,
    params: { isAboutPresence: true },
  });

const proxyConfig = z.strictObject({
  configPath: z.string().optional(),
  binaryPath: z.string().optional(),
  serviceCluster: z.string().optional(),
  concurrency: wrapper(int32.min(0)),
  discoveryAddress: z.string().optional(),
  drainDuration: durationOrZero.optional(),
  terminationDrainDuration: durationOrZero.optional(),
  holdApplicationUntilProxyStarts: wrapper(z.boolean()),
  statusPort: int32.optional(),
  statNameLength: int32.optional(),
  proxyAdminPort: int32.optional(),
  controlPlaneAuthPolicy: z.string().optional(),
  proxyMetadata: textMap.optional(),
  runtimeValues: textMap.optional(),
  image: z.strictObject({ imageType: z.string().optional() }).optional(),
  interceptionMode: z.enum(['REDIRECT', 'TPROXY', 'NONE']).optional(),
  tracing: anyMapping.optional(),
  tracingServiceName: z.string().optional(),
  extraStatTags: texts,
  proxyStatsMatcher: z
    .strictObject({ inclusionPrefixes: texts, inclusionSuffixes: texts, inclusionRegexps: texts })
    .optional(),
  gatewayTopology: anyMapping.optional(),
  readinessProbe: anyMapping.optional(),
  meshId: z.string().optional(),
  caCertificatesPem: texts,
  privateKeyProvider: anyMapping.optional(),
  proxyHeaders: anyMapping.optional(),
  sds: anyMapping.optional(),
  envoyAccessLogService: anyMapping.optional(),
  envoyMetricsService: anyMapping.optional(),
  fileFlushInterval: durationOrZero.optional(),
  fileFlushMinSizeKb: uint32.optional(),
  statsCompression: wrapper(z.boolean()),
  connectionSettings: anyMapping.optional(),
});

export const meshConfig = z.strictObject({
  accessLogFile: z.string().optional(),
  accessLogFormat: z.string().optional(),
  accessLogEncoding: z.enum(['TEXT', 'JSON']).optional(),
  enableTracing: z.boolean().optional(),
  enableEnvoyAccessLogService: z.boolean().optional(),
  disableEnvoyListenerLog: z.boolean().optional(),
  defaultConfig: proxyConfig.optional(),
  outboundTrafficPolicy: z
    .strictObject({
      mode: z.enum(['REGISTRY_ONLY', 'ALLOW_ANY', 'ALLOW_ANY_DYNAMIC_DNS']).optional(),
      tls: tls.optional(),
    })
    .optional(),
  inboundTrafficPolicy: z.strictObject({ mode: z.enum(['PASSTHROUGH', 'LOCALHOST']).optional() }).optional(),
  enableAutoMtls: wrapper(z.boolean()),
  trustDomain: z.string().optional(),
  trustDomainAliases: texts,
  caCertificates: z
    .array(
      z.strictObject({
        pem: z.string().optional(),
        spiffeBundleUrl: z.string().optional(),
        certSigners: texts,
        trustDomains: texts,
      }),
    )
    .optional(),
  defaultServiceExportTo: texts,
  defaultVirtualServiceExportTo: texts,
  defaultDestinationRuleExportTo: texts,
  rootNamespace: z.string().optional(),
  localityLbSetting: localityLbSetting.optional(),
  zoneAwareLbSetting: anyMapping.optional(),
  connectTimeout: durationOrZero.optional(),
  protocolDetectionTimeout: durationOrZero.optional(),
  tcpKeepalive: tcpKeepalive.optional(),
  h2UpgradePolicy: z.enum(['DO_NOT_UPGRADE', 'UPGRADE']).optional(),
  dnsRefreshRate: durationOrZero.optional(),
  hboneIdleTimeout: durationOrZero.optional(),
  discoverySelectors: z.array(labelSelector).optional(),
  pathNormalization: z
    .strictObject({
      normalization: z
        .enum(['DEFAULT', 'NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES'])
        .optional(),
    })
    .optional(),
  defaultHttpRetryPolicy: anyMapping.optional(),
  defaultTrafficPolicy: z
    .strictObject({
      connectionPool: connectionPool.optional(),
      outlierDetection: outlierDetection.optional(),
    })
    .optional(),
  meshMTLS: tlsSettings.optional(),
  tlsDefaults: tlsSettings.optional(),
  enablePrometheusMerge: wrapper(z.boolean()),
  verifyCertificateAtClient: wrapper(z.boolean()),
  serviceSettings: z
    .array(
      z.strictObject({
        settings: z.strictObject({ clusterLocal: z.boolean().optional() }).optional(),
        hosts: texts,
      }),
    )
    .optional(),
  serviceScopeConfigs: z.array(anyMapping).optional(),
  serviceEntryVisibility: z.string().optional(),
  ingressClass: z.string().optional(),
  ingressService: z.string().optional(),
  ingressSelector: z.string().optional(),
  ingressControllerMode: z.enum(['UNSPECIFIED', 'OFF', 'DEFAULT', 'STRICT']).optional(),
  proxyListenPort: int32.optional(),
  proxyInboundListenPort: int32.optional(),
  proxyHttpPort: int32.optional(),
  inboundClusterStatName: z.string().optional(),
  outboundClusterStatName: z.string().optional(),
  ca: anyMapping.optional(),
  configSources: z.array(anyMapping).optional(),
  certificates: z.array(anyMapping).optional(),
  thriftConfig: anyMapping.optional(),
  defaultProviders: z.strictObject({ tracing: texts, metrics: texts, accessLogging: texts }).optional(),
  extensionProviders: z.array(extensionProvider).optional(),
});
