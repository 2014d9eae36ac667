// ProxyConfig: how proxies themselves run.
import { z } from 'zod';
import { int32, wrapper } from './fields.ts';
import { selector } from './selectors.ts';

export const proxyConfigSpec = z.strictObject({
  selector: selector.optional(),
  concurrency: wrapper(int32.min(0)),
  environmentVariables: z.record(z.string(), z.string().max(2048)).optional(),
  image: z.strictObject({ imageType: z.string().optional() }).optional(),
});

export type ProxyConfigSpec = Readonly<z.infer<typeof proxyConfigSpec>>;
