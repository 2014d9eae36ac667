import { readFile } from 'node:fs/promises';
import type { DatastoreOptions } from '@heddle/control-plane';
import { systemErrorCode } from '@heddle/base';
import { CliError, usageError } from '../cli-error.ts';
import type { UpFlags } from '../commands/up.ts';

/** Reads a file that a flag names. */
export async function readPem(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const reason = systemErrorCode(error);
    throw new CliError(
      reason === 'ENOENT' ? 'HEDDLE_FILE_NOT_FOUND' : 'HEDDLE_FILE_UNREADABLE',
      `can't read ${path} (${reason})`,
    );
  }
}

/** The datastore that the flags choose, with what is in the files they name. */
export async function datastoreOf(flags: UpFlags): Promise<DatastoreOptions> {
  const { datastore, datastoreCaFile: ca, datastoreCertFile: certificate, datastoreKeyFile: key } = flags;
  const isSecure = datastore.type === 'etcd' && datastore.isSecure;
  if (!isSecure) {
    if ((ca ?? certificate ?? key) !== undefined)
      throw usageError('certificates are for etcds:// only', 'write --datastore etcds://HOST:PORT');
    if (datastore.type !== 'etcd') return datastore;
    return { type: 'etcd', endpoints: datastore.endpoints, prefix: datastore.prefix };
  }
  if (ca === undefined) throw usageError('--datastore etcds://… needs --datastore-ca-file');
  if ((certificate === undefined) !== (key === undefined))
    throw usageError('--datastore-cert-file and --datastore-key-file go together');
  return {
    type: 'etcd',
    endpoints: datastore.endpoints,
    prefix: datastore.prefix,
    tls: {
      ca: await readPem(ca),
      ...(certificate === undefined || key === undefined
        ? {}
        : { certificate: await readPem(certificate), key: await readPem(key) }),
    },
  };
}
