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
    for (const problem of problems) {
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
    // Places in lists that were put together are not known; those of the file are right where it has the value.
    locate: (keys) => first.locate(keys),
  };
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
