// Reads a bootstrap file and remembers where its values stand.
import { readFile } from 'node:fs/promises';
import { err, errorMessage, ok, type Problem, type Result, systemErrorCode } from '@heddle/base';
import type * as Yaml from 'yaml';
import { CliError } from '../cli-error.ts';
import { requireOnce } from './require-once.ts';

/** A place in a file; both are 1-based. */
interface Position {
  readonly line: number;
  readonly column: number;
  /** Another file than the one that was asked, where several were put together. */
  readonly file?: string;
}

/** A bootstrap file as the data plane takes it. */
export interface BootstrapFile {
  /** As the user named it. */
  readonly file: string;
  /** What the YAML or JSON says. */
  readonly value: unknown;
  /** Where the value under these keys and indices stands; null where that isn't known. */
  locate(keys: readonly (string | number)[]): Position | null;
}

function yamlProblem(error: Yaml.YAMLError, file: string): Problem {
  const [place] = error.linePos ?? [];
  return {
    code: 'HEDDLE_YAML',
    severity: 'error',
    message: messageOf(error),
    file,
    ...(place === undefined ? {} : { line: place.line, column: place.col }),
  };
}

/** What is wrong; the library's own words where they are for people. */
function messageOf({ code, message }: Yaml.YAMLError): string {
  if (code === 'MULTIPLE_DOCS') return 'the file holds several documents; a configuration is one';
  if (message.includes('Maximum call stack')) return tooDeep;
  // They go on with the source, which is shown anyway.
  return message.split('\n', 1)[0]!.replace(/ at line \d+, column \d+:?$/, '');
}

// The library recurses per level.
const tooDeep = 'values are nested too deeply';

/** The node under these keys; aliases lead to what they stand for. */
function nodeAt(
  { isAlias, isCollection }: typeof Yaml,
  document: Yaml.Document,
  keys: readonly (string | number)[],
): unknown {
  let node: unknown = document.contents;
  for (const key of keys) {
    if (isAlias(node)) node = node.resolve(document);
    node = isCollection(node) ? node.get(key, true) : undefined;
  }
  return isAlias(node) ? node.resolve(document) : node;
}

/** Parses the text of a bootstrap file; JSON is YAML. All problems of its syntax. */
export function parseBootstrap(file: string, text: string): Result<BootstrapFile, readonly Problem[]> {
  // A proxy that serves has no use for it, and would hold 1.1 MiB of it.
  const yaml = requireOnce('yaml', import.meta.url) as typeof Yaml;
  const { isMap, isNode, isScalar } = yaml;
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: true });
  const problems = document.errors.map((error) => yamlProblem(error, file));
  // What it says after it has given up misleads.
  const last = problems.find(({ message }) => message === tooDeep);
  if (problems.length > 0) return err(last === undefined ? problems : [last]);
  const placeOf = (node: unknown): Position | null => {
    if (!isNode(node) || !node.range) return null;
    const { line, col } = lines.linePos(node.range[0]);
    return line === 0 ? null : { line, column: col };
  };
  const locate = (keys: readonly (string | number)[]): Position | null => {
    const value = placeOf(nodeAt(yaml, document, keys));
    const around = nodeAt(yaml, document, keys.slice(0, -1));
    const pair = isMap(around)
      ? around.items.find(({ key }) => isScalar(key) && key.value === keys.at(-1))
      : undefined;
    const key = placeOf(pair?.key);
    // Something long begins below its key, and there the eye looks for the key.
    return key !== null && value?.line !== key.line ? key : value;
  };
  try {
    return ok({ file, value: document.toJS({ maxAliasCount: 1000 }) as unknown, locate });
  } catch (error) {
    // Its only failures left: aliases that multiply what they stand for, and depth.
    const message =
      error instanceof ReferenceError
        ? 'aliases make the file too large'
        : error instanceof RangeError
          ? tooDeep
          : errorMessage(error);
    return err([{ code: 'HEDDLE_YAML_LIMIT', severity: 'error', message, file }]);
  }
}

/** Reads the file that --bootstrap names. */
export async function readBootstrapText(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    if (error instanceof TypeError) throw new CliError('HEDDLE_FILE_NOT_TEXT', `'${file}' is no UTF-8 text`);
    const code = systemErrorCode(error);
    if (code === 'ENOENT') throw new CliError('HEDDLE_FILE_NOT_FOUND', `there is no file '${file}'`);
    const why = code === 'EISDIR' ? 'it is a directory' : code;
    throw new CliError('HEDDLE_FILE_UNREADABLE', `can't read '${file}': ${why}`);
  }
}
