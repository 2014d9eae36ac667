// Collects the files that -f names.
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, parse } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { ManifestFile } from '@heddle/control-plane';
import { readManifestFiles } from '@heddle/control-plane/read-directory';
import { errorMessage, nearestName, systemErrorCode } from '@heddle/base';
import { CliError } from '../cli-error.ts';
import { visible } from '../output/visible.ts';

const urlTimeoutMs = 30_000;

/** A file of nearly the same name in a directory; extensions, which most of them share, are no resemblance. */
function nearestFile(name: string, siblings: readonly string[]): string | undefined {
  const { name: stem, ext } = parse(name);
  const stems = siblings.filter((sibling) => extname(sibling) === ext).map((sibling) => parse(sibling).name);
  const near = nearestName(stem, stems);
  return near === undefined ? siblings.find((sibling) => parse(sibling).name === stem) : near + ext;
}

async function missingFile(path: string): Promise<CliError> {
  const siblings = await readdir(dirname(path)).catch(() => []);
  const nearest = nearestFile(basename(path), siblings);
  return new CliError('HEDDLE_FILE_NOT_FOUND', `there is no file '${path}'`, {
    hint: nearest === undefined ? '' : `did you mean '${join(dirname(path), nearest)}'?`,
  });
}

function decode(name: string, bytes: Uint8Array): ManifestFile {
  try {
    return { name, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    throw new CliError('HEDDLE_FILE_NOT_TEXT', `'${name}' is no UTF-8 text`);
  }
}

async function unreadable(path: string, error: unknown): Promise<CliError> {
  if (error instanceof CliError) return error;
  if (systemErrorCode(error) === 'ENOENT') return await missingFile(path);
  return new CliError('HEDDLE_FILE_UNREADABLE', `can't read '${path}' (${systemErrorCode(error)})`);
}

/** A file that was named itself may be a FIFO, as `-f <(generate)` makes one. */
async function readOne(path: string): Promise<ManifestFile> {
  try {
    return decode(path, await readFile(path));
  } catch (error) {
    throw await unreadable(path, error);
  }
}

async function readDirectory(path: string, isRecursive: boolean): Promise<readonly ManifestFile[]> {
  const { files, leftOut } = await readManifestFiles(path, { isRecursive, withHidden: true }).catch(
    async (error: unknown) => {
      const place = error instanceof Error && 'path' in error ? String(error.path) : path;
      throw await unreadable(place, error);
    },
  );
  if (leftOut.length > 0)
    process.stderr.write(`warning: left out of '${visible(path)}': ${leftOut.map(visible).join(', ')}\n`);
  if (files.length === 0) {
    throw new CliError('HEDDLE_FILE_NOT_FOUND', `there is no .yaml, .yml or .json file in '${path}'`, {
      hint: isRecursive ? '' : '--recursive looks into its directories too',
    });
  }
  return files.map(({ name, bytes }) => decode(join(path, name), bytes));
}

async function readUrl(url: string): Promise<ManifestFile> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(urlTimeoutMs) });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    return decode(url, await response.bytes());
  } catch (error) {
    if (error instanceof CliError) throw error;
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const reason = errorMessage(cause);
    const isForbidden = reason === 'bad port';
    throw new CliError(
      'HEDDLE_FILE_UNREADABLE',
      `can't read '${url}': ${isForbidden ? 'HTTP clients refuse its port, which belongs to another protocol' : reason}`,
    );
  }
}

/** Reads everything that `-f` names, in the order in which it was named. */
export async function readManifests(
  names: readonly string[],
  isRecursive: boolean,
): Promise<readonly ManifestFile[]> {
  const files: ManifestFile[] = [];
  for (const name of names) {
    if (name === '-') files.push(decode('-', await buffer(process.stdin)));
    else if (/^https?:\/\//.test(name)) files.push(await readUrl(name));
    else {
      const isDirectory = await stat(name).then(
        (status) => status.isDirectory(),
        () => false,
      );
      if (isDirectory) files.push(...(await readDirectory(name, isRecursive)));
      else files.push(await readOne(name));
    }
  }
  return files;
}

/** The failure of a command whose files hold no object: most likely they are not those that were meant. */
export function noObjects(verb: 'apply' | 'delete' | 'compare', files: readonly ManifestFile[]): CliError {
  const names = files.map(({ name }) => (name === '-' ? 'standard input' : `'${name}'`)).join(', ');
  return new CliError('HEDDLE_NO_OBJECTS', `nothing to ${verb} in ${names}`);
}
