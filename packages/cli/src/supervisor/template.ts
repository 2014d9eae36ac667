import { nearestName } from '@heddle/base';
import { usageError } from '../cli-error.ts';

/** `{{name}}`, or `{{{{name}}}}` for the text `{{name}}`. */
const templatePattern = /\{\{\{\{([A-Za-z0-9][\w.-]*)\}\}\}\}|\{\{([A-Za-z0-9][\w.-]*)\}\}/g;

/**
 * Replaces `{{name}}` in a command's arguments. An upstream's value is `host:port` and not a URL: it fits into
 * `http://{{ratings}}/v1`, `--ratings-addr={{ratings}}` and `jdbc:…//{{db}}/x` alike, and who wants a URL finds one in
 * the environment. A name that nobody knows is refused, since it is most likely misspelt; `{{{{name}}}}` becomes
 * `{{name}}`. What is no name in double braces (`{{.Names}}`, `{{ name }}`) belongs to the application and stays.
 */
export function fillTemplates(
  command: readonly string[],
  values: ReadonlyMap<string, string>,
): readonly string[] {
  return command.map((argument) =>
    argument.replace(templatePattern, (text, literal: string | undefined, name: string) => {
      if (literal !== undefined) return `{{${literal}}}`;
      const value = values.get(name);
      if (value !== undefined) return value;
      const nearest = nearestName(name, values.keys());
      const known = [...values.keys()].map((each) => `{{${each}}}`).join(', ');
      throw usageError(
        `the command's argument '${argument}' has an unknown template ${text}`,
        `${nearest === undefined ? '' : `did you mean {{${nearest}}}? `}Known: ${known}; write {{${text}}} for the text ${text}`,
      );
    }),
  );
}
