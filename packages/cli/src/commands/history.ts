import { parseCount, parseName } from '../flags.ts';
import { type ConnectionFlags, connectionFlags } from './connection-flags.ts';
import { defineCommand } from './define-command.ts';

export interface HistoryFlags extends ConnectionFlags {
  readonly namespace: string;
  readonly limit: number;
  readonly revision?: number;
  readonly output: 'table' | 'yaml' | 'json';
}

export const historyCommand = defineCommand<HistoryFlags, readonly string[]>(
  {
    brief: 'Show who changed the configuration, when and what',
    usage: ['[KIND NAME] [FLAGS]'],
    text: [
      'One line for each change, the newest first: everything that one command stored has one revision. With a kind and ' +
        'a name, only the changes of that object. --revision shows what one change did, line by line.',
      'The name is that of the token that was used: admin for the one in the store, others as heddle token create ' +
        '--subject named them; files where the mesh is kept in files.',
    ],
    examples: [
      ['The latest changes', 'heddle history'],
      ['Those of one object', 'heddle history vs reviews'],
      ['What revision 12 did', 'heddle history --revision 12'],
    ],
  },
  {
    flags: {
      namespace: {
        kind: 'parsed',
        parse: parseName,
        default: 'default',
        placeholder: 'NS',
        brief: 'of the object',
      },
      limit: {
        kind: 'parsed',
        parse: parseCount,
        default: '20',
        placeholder: 'N',
        brief: 'how many changes, 1000 at most',
      },
      revision: {
        kind: 'parsed',
        parse: parseCount,
        optional: true,
        placeholder: 'N',
        brief: 'what this one change did',
      },
      output: {
        kind: 'enum',
        values: ['table', 'yaml', 'json'],
        default: 'table',
        brief: 'how it is printed',
      },
      ...connectionFlags,
    },
    aliases: { n: 'namespace', o: 'output' },
    positional: {
      kind: 'array',
      parameter: { parse: String, brief: 'only this object', placeholder: 'KIND NAME' },
    },
  },
  async () => (await import('../history/show-history.ts')).showHistory,
);
