/** Shapes of the API's requests, checked before anything is done with them. */
import { z } from 'zod';

const name = z.string().min(1).max(253);

export const loginSchema = z.strictObject({ token: z.string().min(1).max(1000) });

const files = z.array(z.strictObject({ name: z.string().max(4096), text: z.string() })).max(1000);

export const applySchema = z.strictObject({
  files,
  namespace: name,
  strict: z.boolean().default(false),
  dryRun: z.boolean().default(false),
});

export const deleteSchema = z.strictObject({ files, namespace: name });

export const tokenSchema = z.strictObject({
  kind: z.enum(['join', 'dashboard']),
  uses: z.int().min(1).max(1_000_000).optional(),
  ttlSeconds: z
    .int()
    .min(1)
    .max(10 * 365 * 86_400)
    .optional(),
  namespace: name.optional(),
  serviceAccount: name.optional(),
});

/** `?seconds=`: how much history. */
export const secondsSchema = z.coerce.number().int().min(1).max(3600);
