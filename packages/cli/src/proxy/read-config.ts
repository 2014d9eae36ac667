// Where a proxy's configuration comes from: the file, the command line, or both.
import type { Problem } from '@heddle/base';
import { CliError, usageError } from '../cli-error.ts';
import type { ProxyFlags } from '../commands/proxy.ts';
import { renderProblem } from '../output/render-problem.ts';
import { mergeConfig } from './merge-config.ts';
import { type BootstrapFile, parseBootstrap, readBootstrapText } from './parse-bootstrap.ts';

/** What `--config-yaml` is called in problems. */
const commandLine = '--config-yaml';

/** The configuration and how to show what is wrong with it. */
export interface ProxyConfig {
  readonly source: BootstrapFile;
  /** The error to end with, once the problems have been written to standard error. */
  refuse(problems: readonly Problem[]): CliError;
}

/** A mistake in what YAML aliases repeat is one mistake: its first path, and the others as a hint. */
function oncePerPlace(problems: readonly Problem[]): Problem[] {
  const places = Map.groupBy(problems, (problem) =>
    problem.line === undefined
      ? problem
      : [problem.file, problem.line, problem.column, problem.code, problem.message].join('\0'),
  );
  return [...places.values()].map(withOtherPlaces);
}

function withOtherPlaces([first, ...others]: readonly Problem[]): Problem {
  const paths = others.flatMap(({ path = '' }) => (path === '' || path === first!.path ? [] : [path]));
  if (paths.length === 0) return first!;
  const also = `also at ${paths.join(', ')}`;
  return { ...first!, hint: first!.hint === undefined ? also : `${first!.hint}; ${also}` };
}

/** Many messages go on from the path, which stands elsewhere here: they get its last name. */
function withSubject(problem: Problem): Problem {
  const name = /(?:^|\.)([^.]+)$/.exec(problem.path ?? '')?.[1];
  const lacksSubject = /^(?:is|are|must|needs|holds|has|does|excludes|matches|cannot|can't)\b/.test(
    problem.message,
  );
  return name === undefined || !lacksSubject
    ? problem
    : { ...problem, message: `${name} ${problem.message}` };
}

/** Reads what the flags name; throws where that can't be read or is no YAML. */
export async function readProxyConfig(flags: ProxyFlags): Promise<ProxyConfig> {
  if (flags.bootstrap !== undefined && flags.configPath !== undefined) {
    throw usageError('--bootstrap and --config-path are the same: one of them is enough');
  }
  const file = flags.bootstrap ?? flags.configPath;
  const texts = new Map<string, string>();
  if (file !== undefined) texts.set(file, await readBootstrapText(file));
  if (flags.configYaml !== undefined) texts.set(commandLine, flags.configYaml);
  const refuse = (problems: readonly Problem[]): CliError => {
    for (const problem of oncePerPlace(problems).map(withSubject)) {
      process.stderr.write(renderProblem(problem, texts.get(problem.file ?? '')));
    }
    const count = problems.length === 1 ? '1 error' : `${problems.length} errors`;
    return new CliError('HEDDLE_BOOTSTRAP_REFUSED', `${count}, nothing was started`);
  };
  const parsed = [...texts].map(([name, text]) => {
    const result = parseBootstrap(name, text);
    if (!result.ok) throw refuse(result.error);
    return result.value;
  });
  const [first, second] = parsed;
  if (first === undefined) {
    throw usageError('there is no configuration', 'name a file: heddle proxy --bootstrap envoy.yaml');
  }
  const source = second === undefined ? first : mergeSources(first, second);
  return { source: withNode(source, flags), refuse };
}

function mergeSources(first: BootstrapFile, second: BootstrapFile): BootstrapFile {
  return {
    file: first.file,
    value: mergeConfig(first.value, second.value),
    locate: (keys) => {
      const inSecond = keysInSecond(keys, first.value);
      const position = inSecond === null ? null : second.locate(inSecond);
      return position === null ? first.locate(keys) : { ...position, file: second.file };
    },
  };
}

/** Where in the second of two merged values something stands: lists have the first's elements before; null for those. */
function keysInSecond(keys: readonly (string | number)[], first: unknown): (string | number)[] | null {
  let above = first;
  const inSecond: (string | number)[] = [];
  for (const key of keys) {
    const before = Array.isArray(above) ? above.length : 0;
    if (typeof key === 'number' && key < before) return null;
    inSecond.push(typeof key === 'number' ? key - before : key);
    const isObject = typeof above === 'object' && above !== null && !Array.isArray(above);
    above = isObject ? (above as Readonly<Record<string, unknown>>)[key] : undefined;
  }
  return inSecond;
}

/** `--service-node` and `--service-cluster` replace what the configuration says. */
function withNode(source: BootstrapFile, { serviceNode, serviceCluster }: ProxyFlags): BootstrapFile {
  if (serviceNode === undefined && serviceCluster === undefined) return source;
  const node = {
    ...(serviceNode === undefined ? {} : { id: serviceNode }),
    ...(serviceCluster === undefined ? {} : { cluster: serviceCluster }),
  };
  return { ...source, value: mergeConfig(source.value, { node }) };
}
