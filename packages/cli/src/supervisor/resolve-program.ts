import { constants as fsConstants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import { delimiter, resolve } from 'node:path';
import { nearestName } from '@heddle/base';
import { CliError } from '../cli-error.ts';
import { ExitCode } from '../exit-code.ts';

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, fsConstants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** The path of a program that a shell would start for this name, or undefined. */
export async function findProgram(name: string, searchPath: string): Promise<string | undefined> {
  if (name.includes('/')) return (await isFile(name)) ? resolve(name) : undefined;
  let found: string | undefined;
  for (const directory of searchPath.split(delimiter)) {
    const candidate = resolve(directory, name);
    if (!(await isFile(candidate))) continue;
    if (await isExecutable(candidate)) return candidate;
    found ??= candidate;
  }
  return found;
}

/**
 * Finds the program before anything is started, so that a mistyped command is one sentence and not a sidecar that comes
 * and goes. Fails with 127 and 126, the codes of shells.
 */
export async function resolveProgram(name: string, searchPath: string): Promise<string> {
  const path = await findProgram(name, searchPath);
  if (path === undefined) {
    const isDirectory =
      name.includes('/') &&
      (await stat(name).then(
        (status) => status.isDirectory(),
        () => false,
      ));
    if (isDirectory) throw notExecutable(name, 'is a directory');
    const runtime = nearestName(name, [
      'node',
      'npm',
      'npx',
      'python3',
      'java',
      'deno',
      'bun',
      'ruby',
      'php',
    ]);
    throw new CliError('HEDDLE_COMMAND_NOT_FOUND', `there is no program '${name}'`, {
      hint: name.includes('/')
        ? `the path is taken from ${process.cwd()}`
        : runtime !== undefined && runtime !== name
          ? `did you mean '${runtime}'?`
          : `it is in none of the directories of PATH; a program in this directory is written ./${name}`,
      exitCode: ExitCode.notFound,
    });
  }
  if (!(await isExecutable(path))) {
    throw notExecutable(name, 'can not be executed', `chmod +x ${name}, or start it with its interpreter`);
  }
  return path;
}

function notExecutable(name: string, why: string, hint = ''): CliError {
  return new CliError('HEDDLE_COMMAND_NOT_EXECUTABLE', `'${name}' ${why}`, {
    hint,
    exitCode: ExitCode.notExecutable,
  });
}

/** The interpreter that a script names in its first line (`#!/usr/bin/env node`), or undefined. */
export async function interpreterOf(path: string, searchPath: string): Promise<string | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    const line = buffer.toString('latin1', 0, bytesRead).split('\n', 1)[0] ?? '';
    if (!line.startsWith('#!')) return undefined;
    const words = line.slice(2).trim().split(/\s+/);
    const program =
      words[0]?.endsWith('/env') === true ? words.slice(1).find((word) => !word.startsWith('-')) : words[0];
    return program === undefined ? undefined : await findProgram(program, searchPath);
  } finally {
    await file.close();
  }
}
