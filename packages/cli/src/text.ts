// What the command line says when it can't understand: one sentence each, and the nearest known name.
import {
  AliasNotFoundError,
  type ApplicationText,
  ArgumentParseError,
  EnumValidationError,
  FlagNotFoundError,
  UnexpectedFlagError,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
  text_en,
} from '@stricli/core';
import { errorMessage, nearestName } from '@heddle/base';
import { renderError, usageError } from './cli-error.ts';
import { shellWord } from './output/shell-word.ts';

/** `error: …` without the newline that stricli adds. */
function say(message: string, hint = ''): string {
  return renderError(usageError(message, hint), false).trimEnd();
}

function explain(error: unknown, command: string): string {
  if (error instanceof FlagNotFoundError) {
    const nearest = nearestName(error.input, error.corrections);
    const hint =
      nearest === undefined ? '--help lists the flags; what belongs to a command goes after --' : '';
    return say(
      `there is no flag --${error.input}${nearest === undefined ? '' : `; did you mean --${nearest}?`}`,
      hint,
    );
  }
  if (error instanceof AliasNotFoundError) {
    return say(
      `there is no flag -${error.input}`,
      '--help lists the flags; what belongs to a command goes after --',
    );
  }
  if (error instanceof ArgumentParseError) {
    const name = error.externalFlagNameOrPlaceholder;
    const place = name === name.toUpperCase() ? name : `--${name}`;
    return say(`${place}: ${errorMessage(error.exception)}`);
  }
  if (error instanceof EnumValidationError) {
    const nearest = nearestName(error.input, error.values);
    const suggestion = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    return say(
      `--${error.externalFlagName}: '${error.input}' is none of ${error.values.join(', ')}${suggestion}`,
    );
  }
  if (error instanceof UnsatisfiedFlagError) {
    return error.nextFlagName === undefined
      ? say(`--${error.externalFlagName} is missing, or has no value`, '--help shows examples')
      : say(`--${error.externalFlagName} has no value: --${error.nextFlagName} follows it`);
  }
  if (error instanceof UnexpectedFlagError) {
    return say(`--${error.externalFlagName} is given twice: '${error.previousInput}' and '${error.input}'`);
  }
  if (error instanceof UnexpectedPositionalError) {
    const isFile = command === 'apply';
    return say(
      `'${error.input}' is one argument too many`,
      isFile ? `files are named with -f: heddle apply -f ${shellWord(error.input)}` : '--help shows examples',
    );
  }
  if (error instanceof UnsatisfiedPositionalError) {
    return say(`${error.placeholder} is missing`, '--help shows examples');
  }
  return say(errorMessage(error));
}

/** The texts of the application; `commands` are the names it knows, `command` is the one that was called. */
export function applicationText(
  commands: readonly string[],
  command: string,
  debug: boolean,
): ApplicationText {
  const render = (error: unknown): string => renderError(error, debug).trimEnd();
  return {
    ...text_en,
    noCommandRegisteredForInput: ({ input, corrections }) => {
      // The corrections are those of a group of commands, such as `token`.
      const known = [...commands, ...corrections.map((name) => name.replaceAll('`', ''))];
      const nearest = nearestName(input, known);
      const suggestion = nearest === undefined ? '' : `; did you mean '${nearest}'?`;
      const group = commands.includes(command) ? `heddle ${command}` : 'heddle';
      const hint = nearest === undefined ? `\`${group} --help\` lists the commands` : '';
      return say(`there is no command '${input}'${suggestion}`, hint);
    },
    exceptionWhileParsingArguments: (error) => explain(error, command),
    exceptionWhileLoadingCommandFunction: render,
    exceptionWhileLoadingCommandContext: render,
    exceptionWhileRunningCommand: render,
    commandErrorResult: render,
    exceptionWhileRunningIntegrationHook: ({ exception }) => render(exception),
    exceptionWhileRunningIntegrationFlag: ({ exception }) => render(exception),
  };
}
