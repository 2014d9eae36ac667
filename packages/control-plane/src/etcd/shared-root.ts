/**
 * The root of the mesh's identities, the same for all control planes: made by the first of them, kept in etcd, copied into
 * each one's store directory.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HeddleError } from '@heddle/base';
import { writeFileAtomically } from '@heddle/identity';
import { z } from 'zod';
import type { EtcdClient } from './etcd-client.ts';

const rootSchema = z.object({ certificates: z.string(), privateKey: z.string() });
type RootFiles = z.infer<typeof rootSchema>;

/**
 * Makes sure that the root in `directory` is the one in etcd. `make` makes one in the directory where there is none yet.
 * Rejects with `HEDDLE_CA_CORRUPT` where the two differ.
 */
export async function shareRoot(
  client: EtcdClient,
  prefix: string,
  directory: string,
  make: () => Promise<void>,
): Promise<void> {
  const key = `${prefix}/ca/root`;
  const local = await readLocal(directory);
  let shared = await readShared(client, key);
  if (shared === null) {
    if (local === null) await make();
    const mine = await readLocal(directory);
    if (mine === null) throw new HeddleError('HEDDLE_CA_FILES', `There is no root in ${directory}.`);
    const value = Buffer.from(JSON.stringify(mine));
    const { succeeded } = await client.txn({
      compare: [{ key, modRevision: 0 }],
      success: [{ type: 'put', key, value }],
    });
    if (succeeded) return;
    // Another control plane was faster. Nobody has seen ours yet, if it was made just now.
    if (local === null) await rm(directory, { recursive: true });
    shared = await readShared(client, key);
  }
  const present = await readLocal(directory);
  if (shared === null) throw new HeddleError('HEDDLE_STORE_FAILED', `The record ${key} in etcd is gone.`);
  if (present === null) await writeLocal(directory, shared);
  else if (present.certificates !== shared.certificates || present.privateKey !== shared.privateKey) {
    throw new HeddleError(
      'HEDDLE_CA_CORRUPT',
      `The root certificate in ${directory} is another than the one of the mesh in etcd: use an empty store directory, or another prefix in etcd.`,
    );
  }
}

async function readShared(client: EtcdClient, key: string): Promise<RootFiles | null> {
  const [kv] = (await client.range({ key })).kvs;
  if (kv === undefined) return null;
  const parsed = rootSchema.safeParse(JSON.parse(Buffer.from(kv.value).toString()));
  // Without the value: it holds a key.
  if (!parsed.success) throw new HeddleError('HEDDLE_STORE_CORRUPT', `The record ${key} in etcd is damaged.`);
  return parsed.data;
}

async function readLocal(directory: string): Promise<RootFiles | null> {
  const [certificates, privateKey] = await Promise.all(
    ['root.pem', 'root.key'].map(
      async (name) => await readFile(join(directory, name), 'utf8').catch(() => null),
    ),
  );
  return typeof certificates === 'string' && typeof privateKey === 'string'
    ? { certificates, privateKey }
    : null;
}

async function writeLocal(directory: string, { certificates, privateKey }: RootFiles): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFileAtomically(join(directory, 'root.key'), privateKey);
  await writeFileAtomically(join(directory, 'root.pem'), certificates);
}
