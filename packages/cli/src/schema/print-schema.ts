import { nearestName } from '@heddle/base';
import {
  customResourceDefinition,
  findKind,
  kinds,
  objectSchema,
  openApiOf,
  type KindInfo,
} from '@heddle/model';
import { usageError } from '../cli-error.ts';
import type { SchemaFlags } from '../commands/schema.ts';
import { ExitCode } from '../exit-code.ts';
import { heddleVersion } from '../version.ts';

function kindOf(input: string): KindInfo {
  const info = findKind(input.toLowerCase());
  if (info !== undefined) return info;
  const nearest = nearestName(
    input.toLowerCase(),
    kinds.map(({ singular }) => singular),
  );
  throw usageError(
    `there is no kind '${input}'${nearest === undefined ? '' : `; did you mean '${nearest}'?`}`,
    'docs/configuration.md lists them',
  );
}

async function crdsOf(infos: readonly KindInfo[]): Promise<string> {
  const { stringify } = await import('yaml');
  const documents = infos.flatMap((info) => customResourceDefinition(info) ?? []);
  if (documents.length === 0)
    throw usageError('Kubernetes has these kinds built in, and takes no definition of them');
  return documents.map((document) => stringify(document, { aliasDuplicateObjects: false })).join('---\n');
}

function jsonOf(infos: readonly KindInfo[]): object {
  const [first, ...others] = infos;
  if (first !== undefined && others.length === 0) return objectSchema(first);
  return Object.fromEntries(
    infos.map((info) => [
      info.group === '' ? info.plural : `${info.plural}.${info.group}`,
      objectSchema(info),
    ]),
  );
}

/** `heddle schema`. */
export async function printSchema({ output }: SchemaFlags, ...words: readonly string[]): Promise<number> {
  const infos = words.length === 0 ? kinds : words.map(kindOf);
  const text =
    output === 'crd'
      ? await crdsOf(infos)
      : `${JSON.stringify(output === 'json' ? jsonOf(infos) : openApiOf(infos, heddleVersion()), null, 2)}\n`;
  process.stdout.write(text);
  return ExitCode.ok;
}
