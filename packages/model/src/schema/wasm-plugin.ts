// WasmPlugin and TrafficExtension: programs of the user's in the proxy.
import { z } from 'zod';
import { about, anyMapping, int32, nonEmpty, portNumber, setFields, wrapper } from './fields.ts';
import { hasOneScope, oneScope, policyScope, selector, targetReferences } from './selectors.ts';

const schemes = ['http', 'https', 'oci', 'file'];

/** Whether a text has one of the schemes, or none at all: `host/path` and `host:80/path` are then taken as http. */
function isModuleUrl(text: string): boolean {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
  return scheme === undefined ? URL.canParse(`http://${text}`) : schemes.includes(scheme.toLowerCase());
}

const environmentVariable = z
  .strictObject({
    name: nonEmpty.max(256),
    valueFrom: z.enum(['INLINE', 'HOST']).optional(),
    value: z.string().max(2048).optional(),
  })
  .refine(
    ({ valueFrom, value }) => valueFrom !== 'HOST' || value === undefined,
    about('may only be set where valueFrom is INLINE', 'value'),
  );

const trafficMatch = z
  .array(
    z.strictObject({
      mode: z.enum(['UNDEFINED', 'CLIENT', 'SERVER', 'CLIENT_AND_SERVER']).optional(),
      ports: z.array(z.strictObject({ number: portNumber })).optional(),
    }),
  )
  .optional();

const moduleFields = {
  url: nonEmpty.refine(isModuleUrl, { message: `must have no scheme or one of ${schemes.join(', ')}` }),
  sha256: z
    .string()
    .regex(/(^$|^[a-f0-9]{64}$)/, 'must be 64 lower-case hexadecimal digits')
    .optional(),
  imagePullPolicy: z.enum(['UNSPECIFIED_POLICY', 'IfNotPresent', 'Always']).optional(),
  imagePullSecret: nonEmpty.max(253).optional(),
  verificationKey: z.string().optional(),
  pluginConfig: anyMapping.optional(),
  pluginName: nonEmpty.max(256).optional(),
  failStrategy: z.enum(['FAIL_CLOSE', 'FAIL_OPEN', 'FAIL_RELOAD']).optional(),
  vmConfig: z.strictObject({ env: z.array(environmentVariable).max(256).optional() }).optional(),
  type: z.enum(['UNSPECIFIED_PLUGIN_TYPE', 'HTTP', 'NETWORK']).optional(),
};

export const wasmPluginSpec = z
  .strictObject({
    ...policyScope,
    ...moduleFields,
    phase: z.enum(['UNSPECIFIED_PHASE', 'AUTHN', 'AUTHZ', 'STATS']).optional(),
    priority: wrapper(int32),
    match: trafficMatch,
  })
  .refine(hasOneScope, oneScope);

export const trafficExtensionSpec = z
  .strictObject({
    selector: selector.optional(),
    targetRefs: targetReferences.optional(),
    phase: z.enum(['UNSPECIFIED', 'AUTHN', 'AUTHZ', 'STATS']).optional(),
    priority: wrapper(int32),
    match: trafficMatch,
    wasm: z.strictObject(moduleFields).optional(),
    lua: z.strictObject({ inlineCode: nonEmpty.max(65_536) }).optional(),
  })
  .refine(hasOneScope, oneScope)
  .refine((spec) => setFields(spec, ['wasm', 'lua']).length === 1, about('must hold one of wasm and lua'));

export type WasmPluginSpec = Readonly<z.infer<typeof wasmPluginSpec>>;
export type TrafficExtensionSpec = Readonly<z.infer<typeof trafficExtensionSpec>>;
