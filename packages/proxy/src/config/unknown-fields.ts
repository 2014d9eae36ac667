import { fieldPath, type ProblemList } from './problem-list.ts';

/**
 * Refuses every field that our types don't know, in a message that was said to have some. What is in an `Any` has to be
 * looked at by itself.
 */
export function refuseUnknownFields(message: object, path: string, problems: ProblemList): void {
  for (const [name, value] of Object.entries(message)) {
    if (name === '_unknownFields') {
      for (const number of Object.keys(value ?? {}))
        problems.unsupported(fieldPath(path, `<field ${number}>`));
    } else if (name === '$case') {
      continue;
    } else if (Array.isArray(value)) {
      for (const [index, item] of value.entries())
        walk(item, `${fieldPath(path, snakeCase(name))}[${index}]`, problems);
    } else {
      walk(value, fieldPath(path, snakeCase(name)), problems);
    }
  }
}

function walk(value: unknown, path: string, problems: ProblemList): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  // A choice: the field that was chosen stands in the place of the choice.
  if ('$case' in value && 'value' in value) {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('.')));
    walk(value.value, fieldPath(parent, snakeCase(String(value.$case))), problems);
    return;
  }
  refuseUnknownFields(value, path, problems);
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
