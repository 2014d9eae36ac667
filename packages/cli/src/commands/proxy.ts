import type { EnvoyLogLevel } from '@heddle/proxy/loggers';
import {
  parseCount,
  parseDrainStrategy,
  parseDurationMs,
  parseEnvoyLogLevel,
  parseSeconds,
  parseServeMode,
} from '../flags.ts';
import { defineCommand } from './define-command.ts';

export interface ProxyFlags {
  readonly bootstrap?: string;
  readonly configPath?: string;
  readonly configYaml?: string;
  readonly mode: 'serve' | 'validate';
  readonly concurrency: number;
  readonly logLevel: EnvoyLogLevel;
  readonly logPath?: string;
  readonly drainTimeS: number;
  readonly drainStrategy: 'gradual' | 'immediate';
  readonly stopTimeout: number;
  readonly adminAddressPath?: string;
  readonly pidFile?: string;
  readonly serviceNode?: string;
  readonly serviceCluster?: string;
  readonly baseId?: string;
  readonly useDynamicBaseId: boolean;
  readonly disableHotRestart: boolean;
  readonly parentShutdownTimeS: number;
}

const withoutEffect = 'accepted for Envoy; has no effect';

export const proxyCommand = defineCommand<ProxyFlags>(
  {
    brief: "Run the data plane alone, from a file in Envoy's bootstrap format",
    usage: ['--bootstrap FILE [FLAGS]'],
    text: [
      "Reads static listeners and clusters from YAML or JSON as Envoy does. What isn't supported is refused by name, " +
        'with file, line and column; nothing is ignored silently.',
      'Ends on Ctrl-C or SIGTERM: accepts no more, lets running requests end for at most --stop-timeout, then closes; a ' +
        'second signal ends at once. SIGUSR1 opens access logs anew. SIGUSR2 starts the program again beside this ' +
        'process, hands it the listening sockets, and ends this process once its connections have gone: an upgrade ' +
        'without a refused connection.',
    ],
    examples: [
      ['Serve what a file says', 'heddle proxy --bootstrap envoy.yaml'],
      ['Check a file', 'heddle proxy --mode validate -c envoy.yaml'],
      ['Use four threads', 'heddle proxy -c envoy.yaml --concurrency 4'],
    ],
  },
  {
    flags: {
      bootstrap: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: "configuration in Envoy's format",
      },
      configPath: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: "the same, as Envoy's flag is called",
      },
      configYaml: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'YAML',
        brief: 'configuration on the command line, merged into that of the file',
      },
      mode: {
        kind: 'parsed',
        parse: parseServeMode,
        default: 'serve',
        placeholder: 'MODE',
        brief: 'serve; or validate, which checks the configuration and ends',
      },
      concurrency: {
        kind: 'parsed',
        parse: parseCount,
        default: '1',
        placeholder: 'N',
        brief: 'threads that move bytes',
      },
      logLevel: {
        kind: 'parsed',
        parse: parseEnvoyLogLevel,
        default: 'warning',
        placeholder: 'LEVEL',
        brief: 'trace, debug, info, warning, error, critical or off',
      },
      logPath: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: "where the proxy's own log goes, if not to standard error",
      },
      drainTimeS: {
        kind: 'parsed',
        parse: parseSeconds,
        default: '600',
        placeholder: 'SECONDS',
        brief: 'how long clients are asked to go before listeners or an old process close',
      },
      drainStrategy: {
        kind: 'parsed',
        parse: parseDrainStrategy,
        default: 'gradual',
        placeholder: 'STRATEGY',
        brief: 'gradual: ask ever more of them; immediate: all at once',
      },
      stopTimeout: {
        kind: 'parsed',
        parse: parseDurationMs,
        default: '10s',
        placeholder: 'TIME',
        brief: 'how long running requests may take after SIGTERM',
      },
      adminAddressPath: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: 'write the address of the admin interface there',
      },
      pidFile: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: 'write the process id there, also after an upgrade',
      },
      serviceNode: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'ID',
        brief: "the node's id, instead of the file's",
      },
      serviceCluster: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'NAME',
        brief: "the node's cluster, instead of the file's",
      },
      baseId: { kind: 'parsed', parse: String, optional: true, placeholder: 'ID', brief: withoutEffect },
      useDynamicBaseId: { kind: 'boolean', default: false, withNegated: false, brief: withoutEffect },
      disableHotRestart: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'do not take part in upgrades: SIGUSR2 is ignored',
      },
      parentShutdownTimeS: {
        kind: 'parsed',
        parse: parseSeconds,
        default: '900',
        placeholder: 'SECONDS',
        brief: 'how long the old process may live after an upgrade',
      },
    },
    aliases: { c: 'configPath', l: 'logLevel' },
  },
  async () => (await import('../proxy/proxy.ts')).proxy,
);
