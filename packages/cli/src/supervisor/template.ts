import { nearestName } from '@heddle/base';
import { usageError } from '../cli-error.ts';

const templatePattern = /\{\{([a-z0-9][a-z0-9.-]*)\}\}/g;

/**
 * Replaces `{{name}}` in a command's arguments. An upstream's value is `host:port` and not a URL: it fits into
 * `http://{{ratings}}/v1`, `--ratings-addr={{ratings}}` and `jdbc:…//{{db}}/x` alike, and who wants a URL finds one in
 * the environment. Text in double braces that resembles none of our names belongs to the application and stays as it is.
 */
export function fillTemplates(
  command: readonly string[],
  values: ReadonlyMap<string, string>,
): readonly string[] {
  return command.map((argument) =>
    argument.replace(templatePattern, (text, name: string) => {
      const value = values.get(name);
      if (value !== undefined) return value;
      const nearest = nearestName(name, values.keys());
      if (nearest === undefined) return text;
      throw usageError(
        `the command's argument '${argument}' has an unknown template ${text}`,
        `did you mean {{${nearest}}}? Known: ${[...values.keys()].map((known) => `{{${known}}}`).join(', ')}`,
      );
    }),
  );
}
