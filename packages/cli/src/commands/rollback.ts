import { parseName, parseRevision } from '../flags.ts';
import { type ConnectionFlags, connectionFlags } from './connection-flags.ts';
import { defineCommand } from './define-command.ts';

export interface RollbackFlags extends ConnectionFlags {
  readonly namespace: string;
  readonly toRevision?: number;
  readonly dryRun: boolean;
}

export const rollbackCommand = defineCommand<RollbackFlags, readonly string[]>(
  {
    brief: 'Undo changes of the configuration',
    usage: ['[KIND NAME] [FLAGS]'],
    text: [
      'Makes everything, or one object, what it was at an earlier revision; without --to-revision, what it was before ' +
        'its last change. That is a change like any other, with a revision and your name, and can be undone itself. ' +
        'heddle history shows the revisions.',
      'Nothing is changed where an object of then would be refused now.',
    ],
    examples: [
      ['Undo the last change', 'heddle rollback'],
      ['Undo the last change of one object', 'heddle rollback vs reviews'],
      ['What going back to revision 12 would do', 'heddle rollback --to-revision 12 --dry-run'],
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
      toRevision: {
        kind: 'parsed',
        parse: parseRevision,
        optional: true,
        placeholder: 'N',
        brief: 'as of this revision; 0: as of the beginning',
      },
      dryRun: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'say what would change, change nothing',
      },
      ...connectionFlags,
    },
    aliases: { n: 'namespace' },
    positional: {
      kind: 'array',
      parameter: { parse: String, brief: 'only this object', placeholder: 'KIND NAME' },
    },
  },
  async () => (await import('../history/roll-back.ts')).rollBack,
);
