// Renders help texts for a terminal of 80 columns. stricli's own put each flag on one line, however long.
import { styleText } from 'node:util';
import type { Command, CommandContext, RouteMap } from '@stricli/core';
import { helpOf } from './commands/define-command.ts';
import { textColumns, twoColumns, wrapText } from './output/wrap.ts';

const heading = (text: string): string => styleText('bold', text, { stream: process.stdout });

/** The parts of stricli's flag definitions that help texts show. */
interface ShownFlag {
  readonly kind: string;
  readonly brief: string;
  readonly placeholder?: string;
  readonly default?: unknown;
  readonly hidden?: boolean;
  readonly values?: readonly string[];
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function flagRow(name: string, flag: ShownFlag, alias: string | undefined): readonly [string, string] {
  const value = flag.kind === 'boolean' ? '' : ` ${flag.values?.join('|') ?? flag.placeholder ?? 'VALUE'}`;
  const short = alias === undefined ? '    ' : `-${alias}, `;
  const fallback =
    typeof flag.default === 'string' && flag.default !== '' ? ` (default ${flag.default})` : '';
  return [`  ${short}--${kebab(name)}${value}`, `${flag.brief}${fallback}`];
}

function flagRows(command: Command<CommandContext>): readonly (readonly [string, string])[] {
  const { flags = {}, aliases = {} } = command.parameters;
  const aliasOf = new Map(Object.entries(aliases).map(([letter, flag]) => [flag, letter]));
  const rows = Object.entries(flags as Record<string, ShownFlag>)
    .filter(([, flag]) => flag.hidden !== true)
    .map(([name, flag]) => flagRow(name, flag, aliasOf.get(name)));
  return [...rows, ['  -h, --help', 'show this text']];
}

/** The help of one command. `name` is how it is called, such as `heddle token create`. */
export function renderCommandHelp(name: string, command: Command<CommandContext>): string {
  const help = helpOf(command);
  if (help === undefined) return `${command.brief}\n`;
  const usage = help.usage.map((line, index) =>
    `${index === 0 ? 'Usage:' : '      '} ${name} ${line}`.trimEnd(),
  );
  const lines = [help.brief, '', ...usage];
  for (const paragraph of help.text) lines.push('', ...wrapText(paragraph, textColumns));
  lines.push('', heading('Flags'), ...twoColumns(flagRows(command), 30));
  lines.push('', heading('Examples'));
  for (const [what, line] of help.examples) lines.push(`  # ${what}`, `  ${line}`);
  const codes = [
    ['0', 'done'],
    ['1', 'failed'],
    ['2', 'the command line is wrong'],
  ] as const;
  const rows = (help.exitCodes === undefined ? codes : [codes[0], codes[2], ...help.exitCodes]).map(
    ([code, meaning]) => [`  ${code}`, meaning] as const,
  );
  if (help.exitCodes !== undefined) lines.push('', heading('Exit codes'), ...twoColumns(rows, 14));
  return `${lines.join('\n')}\n`;
}

/** A list of commands, such as that of `heddle` itself. */
export function renderRouteMapHelp(name: string, map: RouteMap<CommandContext>): string {
  const rows = map
    .getAllEntries()
    .filter(({ hidden }) => !hidden)
    .map((entry) => [`  ${entry.name.original}`, entry.target.brief] as const);
  return `${[
    map.brief,
    '',
    `Usage: ${name} COMMAND [FLAGS]`,
    '',
    heading('Commands'),
    ...twoColumns(rows, 14),
    '',
    `${name} COMMAND --help says more.`,
  ].join('\n')}\n`;
}

const groups: readonly (readonly [title: string, commands: readonly string[]])[] = [
  ['Try it', ['demo']],
  ['Run a mesh', ['up', 'run', 'token']],
  ['Steer it and look at it', ['apply', 'delete', 'get', 'analyze', 'history', 'rollback']],
  ['The data plane alone', ['proxy', 'intercept']],
  ['About', ['version']],
];

/** The help of `heddle` itself: commands in the order in which somebody meets them. */
export function renderHelp(root: RouteMap<CommandContext>): string {
  const briefs = new Map(root.getAllEntries().map((entry) => [entry.name.original, entry.target.brief]));
  const lines = [
    'Heddle, a service mesh: discovery, routing, mTLS and metrics in a proxy beside',
    'each service, steered from one place.',
    '',
    'Usage: heddle COMMAND [FLAGS]',
  ];
  for (const [title, commands] of groups) {
    const rows = commands.map((command) => [`  ${command}`, briefs.get(command) ?? ''] as const);
    lines.push('', heading(title), ...twoColumns(rows, 13));
  }
  lines.push('', 'heddle help COMMAND, or heddle COMMAND --help, explains it, with examples.');
  lines.push('Exit codes: 0 done, 1 failed, 2 wrong command line; heddle run passes on the');
  lines.push("application's. HEDDLE_DEBUG=1 adds stack traces, NO_COLOR=1 takes colors away.");
  return `${lines.join('\n')}\n`;
}
