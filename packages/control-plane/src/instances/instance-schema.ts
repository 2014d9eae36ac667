/** An instance as stores keep it. */
import { z } from 'zod';

export const instanceSchema = z.object({
  instance: z.string(),
  namespace: z.string(),
  service: z.string(),
  serviceAccount: z.string(),
  servicePort: z.number(),
  protocol: z.string(),
  address: z.string(),
  port: z.number(),
  labels: z.record(z.string(), z.string()),
  takesTunnels: z.boolean().default(false),
  publishedAt: z.number(),
});
