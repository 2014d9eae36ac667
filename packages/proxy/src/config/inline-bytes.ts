import { assertNever } from '@heddle/base';
import type { DataSource } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import type { ProblemList } from './problem-list.ts';

/** The bytes of a source that holds them itself; none with a problem noted where they would have to be fetched. */
export function inlineBytes(source: DataSource | undefined, path: string, problems: ProblemList): Buffer {
  const specifier = source?.specifier;
  switch (specifier?.$case) {
    case undefined:
      return Buffer.alloc(0);
    case 'inlineBytes':
      return Buffer.from(specifier.value);
    case 'inlineString':
      return Buffer.from(specifier.value);
    case 'filename':
    case 'environmentVariable':
      problems.unsupported(path, 'a file or environment variable');
      return Buffer.alloc(0);
    default:
      return assertNever(specifier);
  }
}
