// Collects what is wrong with an object beyond the shape of its fields.
import type { Flaw } from '../schema/problems.ts';
import type { Path } from '../source/place.ts';
import { isLabel, isLabelValue, isQualifiedName } from './names.ts';

/** Where checks report to. */
export class Report {
  readonly errors: Flaw[] = [];
  readonly warnings: Flaw[] = [];

  /** A value that can't be right. */
  invalid(path: Path, message: string, hint?: string): void {
    this.errors.push(flaw('HEDDLE_INVALID_VALUE', path, message, hint));
  }

  /** A field that must be there and isn't. */
  missing(path: Path, message: string, hint?: string): void {
    this.errors.push(flaw('HEDDLE_MISSING_FIELD', path, message, hint));
  }

  /** A value that is right and that Heddle can't leave aside without changing what the object means. */
  unsupported(path: Path, message: string, hint?: string): void {
    this.errors.push(flaw('HEDDLE_UNSUPPORTED_FIELD', path, message, hint));
  }

  /** A value that is right and that Heddle does nothing with yet; `what` completes "Heddle does not support … yet". */
  withoutEffect(path: Path, what: string, hint?: string): void {
    const message = `stored, but without effect: Heddle does not support ${what} yet`;
    this.warnings.push(flaw('HEDDLE_NO_EFFECT_YET', path, message, hint));
  }

  /** A condition that can't be decided: whoever may depend on it is denied. */
  failsClosed(path: Path, message: string, hint?: string): void {
    this.warnings.push(flaw('HEDDLE_FAILS_CLOSED', path, message, hint));
  }

  /** A value that is stored although it will hardly do what its author wants. */
  doubtful(path: Path, message: string, hint?: string): void {
    this.warnings.push(flaw('HEDDLE_DOUBTFUL_VALUE', path, message, hint));
  }
}

function flaw(code: string, path: Path, message: string, hint: string | undefined): Flaw {
  return { code, path, message, ...(hint === undefined ? {} : { hint }) };
}

/** Checks keys and values of labels. */
export function checkLabels(labels: Readonly<Record<string, string>>, path: Path, report: Report): void {
  for (const [key, value] of Object.entries(labels)) {
    if (!isQualifiedName(key)) report.invalid([...path, key], `'${key}' is not a valid label name`);
    if (!isLabelValue(value)) {
      const rule = 'at most 63 letters, digits, -, _ and ., a letter or digit at both ends';
      report.invalid([...path, key], `'${value}' is not a valid label value`, rule);
    }
  }
}

/** Checks whom an object is exported to: `.`, `*` or names of namespaces. */
export function checkExportTo(exportTo: readonly string[] | undefined, path: Path, report: Report): void {
  for (const [index, target] of (exportTo ?? []).entries()) {
    const at = [...path, index];
    if (target === '~') {
      report.invalid(at, `'~' (nobody) is not allowed here`, `write '.' to keep it in its own namespace`);
    } else if (target === '*' && exportTo!.length > 1) {
      report.invalid(at, `'*' (everybody) stands beside other entries`, 'leave the others out');
    } else if (target !== '*' && target !== '.' && !isLabel(target)) {
      report.invalid(at, `'${target}' is not the name of a namespace, '.' or '*'`);
    } else if (exportTo!.indexOf(target) !== index) {
      report.invalid(at, `'${target}' stands twice`);
    }
  }
}
