import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiSchemasOf } from './api-schemas.ts';

const api = join(import.meta.dirname, '..', 'src', 'api');

/** What the schemas in the OpenAPI document have to be. */
export async function expectedApiSchemas(): Promise<string> {
  const schemas = apiSchemasOf(await readFile(join(api, 'types.ts'), 'utf8'));
  return `${JSON.stringify(schemas, null, 1)}\n`;
}

if (import.meta.main) await writeFile(join(api, 'generated', 'schemas.json'), await expectedApiSchemas());
