// Problems with JSON that should be a message, and the place they are at.
import type { Problem } from '@heddle/base';
import { nearestName } from '@heddle/base';
import { isAcceptedWithoutEffect } from '../descriptors/accepted-fields.ts';
import type { MessageDescriptor } from '../descriptors/descriptors.ts';
import { envoyFieldNames } from '../descriptors/envoy-names.ts';
import { unsupportedField, unsupportedType } from '../check/unsupported-fields.ts';

/** Where in the JSON a value stands, with names as they were written, and the list of what is wrong. */
export class JsonPlace {
  readonly path: string;
  readonly problems: Problem[];

  constructor(path: string, problems: Problem[]) {
    this.path = path;
    this.problems = problems;
  }

  /** The place of a member. */
  at(name: string): JsonPlace {
    return new JsonPlace(this.path === '' ? name : `${this.path}.${name}`, this.problems);
  }

  /** The place of an element by its number, or of a map's value by its key, which may have dots in it. */
  element(key: string | number): JsonPlace {
    return new JsonPlace(`${this.path}[${key}]`, this.problems);
  }

  /** A value that is not what the field takes. */
  invalid(message: string, hint?: string): void {
    this.problems.push({
      code: 'HEDDLE_XDS_INVALID_VALUE',
      severity: 'error',
      message,
      path: this.path,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /** A field that the message doesn't have; says whether Envoy has it, or which name was meant. */
  unknownField(message: MessageDescriptor, key: string): void {
    const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const envoys = [...envoyFieldNames(message.name).values()];
    const { path } = this.at(key);
    if (envoys.includes(snake)) {
      if (isAcceptedWithoutEffect(message.name, snake)) return;
      this.problems.push(unsupportedField(message.name, snake, true, path));
      return;
    }
    const nearest = nearestName(snake, [...message.fields.map((field) => field.name), ...envoys]);
    this.problems.push({
      ...unsupportedField(message.name, key, false, path),
      ...(nearest === undefined ? {} : { hint: `Did you mean '${nearest}'?` }),
    });
  }

  /** An `@type` of which we have no message. */
  unknownType(messageName: string): void {
    this.problems.push(unsupportedType(messageName, this.path));
  }
}

/** What a JSON value is, for messages. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'boolean' ? 'true or false' : `a ${typeof value}`;
}

/** Whether it is a JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
