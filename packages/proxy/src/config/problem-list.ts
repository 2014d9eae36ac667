import type { Problem } from '@heddle/base';

/** Collects what is wrong with one configuration, each problem with the path of the field in Envoy's JSON names. */
export class ProblemList {
  readonly problems: Problem[] = [];

  /** The field asks for something that Heddle doesn't do (yet): refused by name, never ignored. */
  unsupported(path: string, what?: string, hint?: string): void {
    const message = what === undefined ? 'is not supported yet' : `${what} is not supported yet`;
    this.add('HEDDLE_XDS_UNSUPPORTED_FIELD', path, message, hint);
  }

  /** The field's value is one that Envoy would refuse too. */
  invalid(path: string, message: string, hint?: string): void {
    this.add('HEDDLE_XDS_INVALID_VALUE', path, message, hint);
  }

  addAll(problems: readonly Problem[]): void {
    this.problems.push(...problems);
  }

  get isEmpty(): boolean {
    return this.problems.length === 0;
  }

  private add(code: string, path: string, message: string, hint: string | undefined): void {
    this.problems.push({ code, severity: 'error', path, message, ...(hint === undefined ? {} : { hint }) });
  }
}

/** The path of a field below another one; either may be empty. */
export function fieldPath(parent: string, field: string): string {
  return parent === '' || field === '' ? parent + field : `${parent}.${field}`;
}
