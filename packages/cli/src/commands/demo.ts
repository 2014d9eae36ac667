import { parseDurationMs, parsePort } from '../flags.ts';
import { defineCommand } from './define-command.ts';

export interface DemoFlags {
  readonly duration?: number;
  readonly port?: number;
}

export const demoCommand = defineCommand<DemoFlags>(
  {
    brief: 'Run a mesh with a demo application and a dashboard',
    usage: ['[FLAGS]'],
    text: [
      'Starts a control plane, a small bookstore of four services (reviews in three versions), a sidecar for each ' +
        'instance, and a trickle of traffic; then says where to look and what to try. Its store is ./.heddle, made anew ' +
        'each time. Ends on Ctrl-C and leaves nothing running.',
    ],
    examples: [
      ['Until Ctrl-C', 'heddle demo'],
      ['For half a minute', 'heddle demo --duration 30s'],
    ],
  },
  {
    flags: {
      duration: {
        kind: 'parsed',
        parse: parseDurationMs,
        optional: true,
        placeholder: 'TIME',
        brief: 'end by itself after this time',
      },
      port: {
        kind: 'parsed',
        parse: parsePort,
        optional: true,
        placeholder: 'PORT',
        brief: "the page's port; 8080, or the next free one",
      },
    },
  },
  async () => (await import('../demo/demo.ts')).demo,
);
