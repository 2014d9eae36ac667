import { z } from 'zod';
import type { KindInfo } from '../../kinds/kinds.ts';
import { metadataSchema } from '../../manifest/metadata.ts';
import { schemaOf } from '../schema-of.ts';
import { mapSchema, specSchema, type JsonSchema } from './spec-schema.ts';

const draft = 'https://json-schema.org/draft/2020-12/schema';

/** A whole object of a kind as JSON Schema, draft 2020-12, for editors and pipelines. */
export function objectSchema(info: KindInfo): JsonSchema {
  const { $schema: _draft, ...metadata } = z.toJSONSchema(metadataSchema, { io: 'input' }) as JsonSchema;
  const spec = mapSchema(specSchema(info), ({ 'x-kubernetes-validations': _cel, ...part }) => part);
  const prefix = info.group === '' ? '' : `${info.group}/`;
  const isOptional = schemaOf(info).safeParse({}).success;
  const head = {
    apiVersion: { type: 'string', enum: info.versions.map((version) => `${prefix}${version}`) },
    kind: { type: 'string', const: info.kind },
    metadata,
  };
  const required = ['apiVersion', 'kind', 'metadata'];
  const title = `${info.kind} (${info.group === '' ? 'Kubernetes' : info.group})`;
  const description = info.noEffect === null ? {} : { description: `Without effect: ${info.noEffect}.` };
  // What a server fills in is let pass.
  const status = {};
  if (info.body === 'spec')
    return {
      $schema: draft,
      title,
      ...description,
      type: 'object',
      properties: { ...head, spec, status },
      required: isOptional ? required : [...required, 'spec'],
      additionalProperties: false,
    };
  const { properties = {}, required: inBody = [], ...rest } = spec;
  return {
    $schema: draft,
    title,
    ...description,
    ...rest,
    type: 'object',
    properties: { ...head, ...(properties as object), status },
    required: [...required, ...(inBody as string[])],
  };
}

/** Schemas of kinds as an OpenAPI 3.1 document has them. */
export function openApiOf(infos: readonly KindInfo[], version: string): JsonSchema {
  const schemas = infos.map((info) => {
    const { $schema: _draft, ...schema } = objectSchema(info);
    return [componentName(info), schema] as const;
  });
  return {
    openapi: '3.1.0',
    info: { title: 'Configuration of a Heddle mesh', version },
    paths: {},
    components: { schemas: Object.fromEntries(schemas) },
  };
}

/** As Kubernetes names them: the group backwards, then version and kind. */
function componentName({ group, versions, kind }: KindInfo): string {
  const reversed = group === '' ? ['io', 'k8s', 'api', 'core'] : group.split('.').toReversed();
  return [...reversed, versions[0]!, kind].join('.');
}
