// What every command consists of: stricli's definition, its action, and the words of its help.
import {
  type BaseArgs,
  type Command,
  type CommandContext,
  type TypedCommandParameters,
  buildCommand,
} from '@stricli/core';

/** The words of a command's help; its flags are listed by the renderer. */
export interface CommandHelp {
  /** One line for the list of commands. */
  readonly brief: string;
  /** What follows the command's name, such as `-f FILE [FLAGS]`. */
  readonly usage: readonly string[];
  /** Paragraphs: what it does, what to know. Wrapped by the renderer. */
  readonly text: readonly string[];
  /** Command lines that work as they stand, each with what it does. */
  readonly examples: readonly (readonly [what: string, command: string])[];
  /** Beside 0 for success, 1 for failure and 2 for a wrong command line. */
  readonly exitCodes?: readonly (readonly [code: string, meaning: string])[];
}

/** What commands know of their surroundings. */
export interface HeddleContext extends CommandContext {
  /** The exit code that a command asks for. */
  exitCode: number;
}

/** Does a command's work; returns its exit code. Failures are thrown, as `HeddleError` where they are foreseen. */
export type Action<FLAGS, ARGS extends BaseArgs> = (flags: FLAGS, ...args: ARGS) => Promise<number>;

const helpOfCommands = new WeakMap<object, CommandHelp>();

/** Builds a command whose action is loaded only when it runs. */
export function defineCommand<
  FLAGS extends Readonly<Partial<Record<keyof FLAGS, unknown>>>,
  ARGS extends BaseArgs = [],
>(
  help: CommandHelp,
  parameters: TypedCommandParameters<FLAGS, ARGS, HeddleContext>,
  load: () => Promise<Action<FLAGS, ARGS>>,
): Command<HeddleContext> {
  const command = buildCommand<FLAGS, ARGS, HeddleContext>({
    parameters,
    docs: { brief: help.brief },
    loader: async () => {
      const action = await load();
      return async function run(this: HeddleContext, flags: FLAGS, ...args: ARGS): Promise<void> {
        this.exitCode = await action(flags, ...args);
      };
    },
  });
  helpOfCommands.set(command, help);
  return command;
}

/** The help of a command made by `defineCommand`. */
export function helpOf(command: object): CommandHelp | undefined {
  return helpOfCommands.get(command);
}
