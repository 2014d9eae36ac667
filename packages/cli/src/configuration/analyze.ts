import type { AnalysisResponse } from '@heddle/control-plane';
import { type AnalyzedProblem, analyzeFiles } from '@heddle/model';
import { connectApi } from '../api/connect.ts';
import type { AnalyzeFlags } from '../commands/analyze.ts';
import { ExitCode } from '../exit-code.ts';
import { visible } from '../output/visible.ts';
import { wrapText } from '../output/wrap.ts';
import { readManifests } from './read-manifests.ts';

const columns = 80;

/** What was found, and in how many objects or files. */
interface Analysis {
  readonly found: readonly AnalyzedProblem[];
  readonly looked: string;
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

async function analyzeNamedFiles(names: readonly string[], flags: AnalyzeFlags): Promise<Analysis> {
  const files = await readManifests(names, flags.recursive);
  return {
    found: analyzeFiles(files, { namespace: flags.namespace ?? 'default' }),
    looked: count(files.length, 'file'),
  };
}

/** What the control plane says of all stored objects. */
async function analyzeMesh(flags: AnalyzeFlags): Promise<Analysis> {
  const api = await connectApi(flags);
  const query = flags.namespace === undefined ? '' : `?namespace=${encodeURIComponent(flags.namespace)}`;
  const { objects, findings } = await api.get<AnalysisResponse>(`/api/v1/analysis${query}`);
  const found = findings.map(({ kind, namespace, name, level, problem }) => {
    // Objects of the mesh have no file; which one it is takes the file's place.
    const file = `${kind} ${namespace}/${name}`;
    return { level, problem: Object.assign({}, problem, { file }) };
  });
  return { found, looked: count(objects, 'object') };
}

/** One finding, in lines of a terminal's width. */
export function renderFinding({ level, problem }: AnalyzedProblem): string {
  const { file, line, column, path, code, message, hint } = problem;
  const place = [file === '-' ? 'standard input' : file && visible(file), line, column].filter(
    (part) => part !== undefined,
  );
  const lines = [...wrapText(visible(message), columns - 2)];
  if (path !== undefined && path !== '') lines.push(`at ${visible(path)}`);
  if (hint !== undefined) lines.push(...wrapText(`hint: ${visible(hint)}`, columns - 2));
  return [`${place.join(':')}: ${level} ${code}`, ...lines.map((text) => `  ${text}`), ''].join('\n');
}

/** `heddle analyze`. */
export async function analyzeConfiguration(flags: AnalyzeFlags): Promise<number> {
  const { filename, output, strict } = flags;
  const { found, looked } =
    filename === undefined ? await analyzeMesh(flags) : await analyzeNamedFiles(filename, flags);
  if (output === 'json') {
    const list = found.map(({ level, problem: { severity: _severity, ...problem } }) => ({
      level,
      ...problem,
    }));
    process.stdout.write(`${JSON.stringify(list, null, 2)}\n`);
  } else {
    for (const one of found) process.stdout.write(renderFinding(one));
    const number = (level: AnalyzedProblem['level']): number =>
      found.filter((one) => one.level === level).length;
    const [errors, warnings] = [count(number('ERROR'), 'error'), count(number('WARNING'), 'warning')];
    process.stdout.write(`${looked}: ${errors}, ${warnings}, ${number('INFO')} for information\n`);
  }
  const isFailure = found.some(({ level }) => level === 'ERROR' || (strict && level === 'WARNING'));
  return isFailure ? ExitCode.failed : ExitCode.ok;
}
