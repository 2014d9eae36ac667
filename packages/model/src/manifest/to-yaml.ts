import { Document } from 'yaml';

/** Writes objects as YAML, several separated by `---`. Texts that YAML 1.1 would read as booleans are quoted, for other tools. */
export function toYaml(...objects: readonly object[]): string {
  return objects
    .map((object) =>
      new Document(object, { compat: 'yaml-1.1', aliasDuplicateObjects: false }).toString({ lineWidth: 0 }),
    )
    .join('---\n');
}
