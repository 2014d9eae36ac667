import { defineCommand } from './define-command.ts';

export const versionCommand = defineCommand<object>(
  {
    brief: 'Print the version',
    usage: [''],
    text: ["Prints Heddle's version and that of the Node.js it runs on."],
    examples: [['Print it', 'heddle version']],
  },
  {},
  async () => (await import('../version.ts')).printVersion,
);
