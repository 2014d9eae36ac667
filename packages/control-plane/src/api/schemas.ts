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

export const diffSchema = z.strictObject({ files, namespace: name, delete: z.boolean().default(false) });

/** Who somebody is, in the history: a name, an e-mail address, a robot's. */
const subject = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._@+:/-]{0,99}$/u, 'must be 1 to 100 letters, digits, spaces and ._@+:/-')
  // The token in the store's directory, and changes of files.
  .refine((text) => text !== 'admin' && text !== 'files', 'must not be admin or files');

export const tokenSchema = z
  .strictObject({
    kind: z.enum(['join', 'dashboard', 'api']),
    role: z.enum(['viewer', 'operator', 'admin']).optional(),
    subject: subject.optional(),
    uses: z.int().min(1).max(1_000_000).optional(),
    ttlSeconds: z
      .int()
      .min(1)
      .max(10 * 365 * 86_400)
      .optional(),
    namespace: name.optional(),
    serviceAccount: name.optional(),
  })
  .refine(({ kind, subject }) => kind !== 'api' || subject !== undefined, {
    path: ['subject'],
    message: 'must say whose token it is',
  })
  .refine(({ kind, subject, role }) => kind !== 'join' || (subject ?? role) === undefined, {
    path: ['subject'],
    message: 'and role are nothing for join tokens: a workload is who its certificate says',
  })
  .refine(({ kind, uses, serviceAccount }) => kind === 'join' || (uses ?? serviceAccount) === undefined, {
    path: ['uses'],
    message: 'and serviceAccount are for join tokens only',
  })
  .refine(({ kind, role, namespace }) => kind === 'join' || role !== 'admin' || namespace === undefined, {
    path: ['namespace'],
    message: 'is nothing for admins, who can make themselves tokens without one',
  });

/** `?seconds=`: how much history. */
export const secondsSchema = z.coerce.number().int().min(1).max(3600);

/** `?limit=`: how many entries of the history. */
export const limitSchema = z.coerce.number().int().min(1).max(1000);

export const revisionSchema = z.coerce.number().int().min(1);

export const rollbackSchema = z.strictObject({
  toRevision: z.int().min(0).optional(),
  object: z.strictObject({ kind: name, namespace: name, name }).optional(),
  dryRun: z.boolean().default(false),
});
