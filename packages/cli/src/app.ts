// Puts the commands together. What they do is loaded by the one that runs.
import {
  type Application,
  type ApplicationContext,
  buildApplication,
  buildRouteMap,
  type Command,
  type CommandContext,
  ExitCode as StricliExitCode,
  run,
  type RouteMap,
  type StricliIntegration,
} from '@stricli/core';
import { exitCodeOf } from './cli-error.ts';
import { applyCommand } from './commands/apply.ts';
import type { HeddleContext } from './commands/define-command.ts';
import { deleteCommand } from './commands/delete.ts';
import { diffCommand } from './commands/diff.ts';
import { demoCommand } from './commands/demo.ts';
import { getCommand } from './commands/get.ts';
import { analyzeCommand } from './commands/analyze.ts';
import { historyCommand } from './commands/history.ts';
import { interceptCommands } from './commands/intercept.ts';
import { proxyCommand } from './commands/proxy.ts';
import { rollbackCommand } from './commands/rollback.ts';
import { runCommand } from './commands/run.ts';
import { schemaCommand } from './commands/schema.ts';
import { tokenCommands } from './commands/token.ts';
import { upCommand } from './commands/up.ts';
import { versionCommand } from './commands/version.ts';
import { ExitCode } from './exit-code.ts';
import { renderCommandHelp, renderHelp, renderRouteMapHelp } from './help.ts';
import { applicationText } from './text.ts';
import { heddleVersion } from './version.ts';

const routes = {
  up: upCommand,
  run: runCommand,
  apply: applyCommand,
  diff: diffCommand,
  get: getCommand,
  delete: deleteCommand,
  analyze: analyzeCommand,
  history: historyCommand,
  rollback: rollbackCommand,
  proxy: proxyCommand,
  intercept: interceptCommands,
  demo: demoCommand,
  token: tokenCommands,
  schema: schemaCommand,
  version: versionCommand,
};

function isCommand<C extends CommandContext>(target: Command<C> | RouteMap<C>): target is Command<C> {
  return 'parameters' in target;
}

const helpFlag: StricliIntegration<HeddleContext> = {
  flag: {
    brief: 'show this text',
    aliases: ['h'],
    global: true,
    defaultForRouteMap: true,
    run(app, { result }) {
      const { target, prefix } = result;
      const name = prefix.join(' ');
      // Help reads a command's words and flags; it has no use for the context that its action would get.
      const shown = target as unknown as Command<CommandContext> | RouteMap<CommandContext>;
      this.process.stdout.write(
        isCommand(shown)
          ? renderCommandHelp(name, shown)
          : target === app.root
            ? renderHelp(shown)
            : renderRouteMapHelp(name, shown),
      );
    },
  },
};

const versionFlag: StricliIntegration<HeddleContext> = {
  flag: {
    brief: 'print the version',
    aliases: [],
    run() {
      this.process.stdout.write(`${heddleVersion()}\n`);
    },
  },
};

function buildHeddle(command: string, debug: boolean): Application<HeddleContext> {
  const root = buildRouteMap<keyof typeof routes, HeddleContext>({
    routes,
    docs: { brief: 'Heddle, a service mesh' },
  });
  return buildApplication<HeddleContext>(
    root,
    {
      name: 'heddle',
      scanner: {
        caseStyle: 'allow-kebab-for-camel',
        allowArgumentEscapeSequence: true,
        // Nearer than stricli's usual seven: a suggestion should look like what was typed.
        distanceOptions: {
          threshold: 3,
          weights: { insertion: 1, deletion: 1, substitution: 1, transposition: 1 },
        },
      },
      // Colors are ours (`styleText`, which knows NO_COLOR).
      documentation: { disableAnsiColor: true },
      localization: { text: applicationText(Object.keys(routes), command, debug) },
      determineExitCode: exitCodeOf,
    },
    { help: helpFlag, version: versionFlag },
  );
}

/** kubectl's habit of writing `-oyaml` and `-nprod` in one word. Arguments after `--` belong to somebody else. */
export function splitShortFlags(inputs: readonly string[]): readonly string[] {
  const escape = inputs.indexOf('--');
  const own = escape < 0 ? inputs : inputs.slice(0, escape);
  const split = own.flatMap((input) => {
    const match = /^-([onf])([^=-].*)$/.exec(input);
    return match === null ? [input] : [`-${match[1]}`, match[2]!];
  });
  return escape < 0 ? split : [...split, ...inputs.slice(escape)];
}

/** `heddle help run` is `heddle run --help`. */
export function expandHelp(inputs: readonly string[]): readonly string[] {
  const [first, ...rest] = inputs;
  return first === 'help'
    ? [...rest.filter((input) => input !== '--help' && input !== '-h'), '--help']
    : inputs;
}

/** Runs `heddle` with these arguments; returns the exit code. */
export async function runHeddle(inputs: readonly string[]): Promise<number> {
  const outcome: { exitCode?: number | string | null } = {};
  const context: ApplicationContext & HeddleContext = {
    process: Object.assign(outcome, { stdout: process.stdout, stderr: process.stderr, env: process.env }),
    exitCode: ExitCode.ok,
  };
  const application = buildHeddle(inputs[0] ?? '', process.env['HEDDLE_DEBUG'] === '1');
  await run(application, splitShortFlags(expandHelp(inputs)), context);
  const code = Number(outcome.exitCode ?? 0);
  if (code === StricliExitCode.UnknownCommand || code === StricliExitCode.InvalidArgument)
    return ExitCode.usage;
  if (code < 0) return ExitCode.failed;
  return code === 0 ? context.exitCode : code;
}
