import { parseCount } from '../flags.ts';
import { defineCommand } from './define-command.ts';

export interface ProxyFlags {
  readonly bootstrap: string;
  readonly concurrency: number;
}

export const proxyCommand = defineCommand<ProxyFlags>(
  {
    brief: "Run the data plane alone, from a file in Envoy's bootstrap format",
    usage: ['--bootstrap FILE [FLAGS]'],
    text: [
      "Reads static listeners and clusters from YAML or JSON as Envoy does. What isn't supported is refused by name, " +
        'with file, line and column; nothing is ignored silently. Ends on Ctrl-C or SIGTERM.',
    ],
    examples: [['Serve what a file says', 'heddle proxy --bootstrap envoy.yaml']],
  },
  {
    flags: {
      bootstrap: {
        kind: 'parsed',
        parse: String,
        placeholder: 'FILE',
        brief: "configuration in Envoy's format",
      },
      concurrency: {
        kind: 'parsed',
        parse: parseCount,
        default: '1',
        placeholder: 'N',
        brief: 'threads that move bytes',
      },
    },
  },
  async () => (await import('../proxy/proxy.ts')).proxy,
);
