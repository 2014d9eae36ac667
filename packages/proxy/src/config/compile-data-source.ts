import { assertNever } from '@heddle/base';
import type { DataSource } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import type { ProblemList } from './problem-list.ts';
import type { TlsMaterials } from './tls-materials.ts';

/** What a `DataSource` holds or names. */
export interface SourcedData {
  readonly bytes: Buffer;
  /** Where to report what is wrong with the content, and what to call it there. */
  readonly path: string;
  /** Empty for what stands in the configuration itself, else the file's name in quotes and a space. */
  readonly label: string;
  /** The file's name; empty for what stands in the configuration itself. */
  readonly file: string;
}

/** The content of a data source; null with a problem noted. */
export function compileDataSource(
  source: DataSource | undefined,
  path: string,
  materials: TlsMaterials,
  problems: ProblemList,
): SourcedData | null {
  const specifier = source?.specifier;
  switch (specifier?.$case) {
    case undefined:
      problems.invalid(path, 'needs filename, inline_string or inline_bytes');
      return null;
    case 'inlineString':
      return { bytes: Buffer.from(specifier.value), path: `${path}.inline_string`, label: '', file: '' };
    case 'inlineBytes':
      return { bytes: Buffer.from(specifier.value), path: `${path}.inline_bytes`, label: '', file: '' };
    case 'filename': {
      const place = `${path}.filename`;
      const content = materials.read(specifier.value);
      if (!content.ok) {
        problems.invalid(
          place,
          `"${specifier.value}" can't be read: ${content.error}`,
          'names are relative to the working directory',
        );
        return null;
      }
      const file = specifier.value;
      return { bytes: content.value, path: place, label: `"${file}" `, file };
    }
    case 'environmentVariable':
      problems.unsupported(`${path}.environment_variable`);
      return null;
    default:
      return assertNever(specifier);
  }
}
