import { parseName } from '../flags.ts';
import { type ConnectionFlags, connectionFlags } from './connection-flags.ts';
import { defineCommand } from './define-command.ts';
import { manifestFlags, optionalFilename } from './manifest-flags.ts';

export interface AnalyzeFlags extends ConnectionFlags {
  readonly filename?: readonly string[];
  readonly namespace?: string;
  readonly strict: boolean;
  readonly recursive: boolean;
  readonly output: 'text' | 'json';
}

export const analyzeCommand = defineCommand<AnalyzeFlags>(
  {
    brief: 'Find what is wrong or doubtful in configuration',
    usage: ['[-f FILE|DIR|URL|-] [FLAGS]'],
    text: [
      'With -f, looks at the files as a whole mesh and needs no control plane: hosts, subsets, gateways and workloads ' +
        'that nothing defines, rules that are never reached, objects that contradict each other. Without -f, prints ' +
        'what the control plane finds in the mesh that runs.',
      "Codes such as IST0101 are those of Istio's analysis. Fails if anything is an error, with --strict also for " +
        'warnings, and never for what is only information.',
    ],
    examples: [
      ['Check a directory, as in CI', 'heddle analyze -f config/ --recursive'],
      ['Look at the mesh that runs', 'heddle analyze'],
    ],
  },
  {
    flags: {
      filename: optionalFilename,
      namespace: {
        kind: 'parsed',
        parse: parseName,
        optional: true,
        placeholder: 'NS',
        brief: 'with -f for objects that name none; without, only objects of this one',
      },
      strict: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'fail for warnings too',
      },
      recursive: manifestFlags.recursive,
      output: {
        kind: 'enum',
        values: ['text', 'json'],
        default: 'text',
        brief: 'how it is printed',
      },
      ...connectionFlags,
    },
    aliases: { f: 'filename', n: 'namespace', R: 'recursive', o: 'output' },
  },
  async () => (await import('../configuration/analyze.ts')).analyzeConfiguration,
);
