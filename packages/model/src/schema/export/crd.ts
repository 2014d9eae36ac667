// Kubernetes' CustomResourceDefinitions: structural schemas, which may say less than JSON Schema, and rules in CEL.
import type { KindInfo } from '../../kinds/kinds.ts';
import { mapSchema, specSchema, type JsonSchema } from './spec-schema.ts';

/** The definition of a kind; undefined of those that Kubernetes has built in. */
export function customResourceDefinition(info: KindInfo): JsonSchema | undefined {
  // Groups of Kubernetes' own have no dot, or end so.
  if (!info.group.includes('.') || info.group === 'discovery.k8s.io') return undefined;
  const { kind, plural, singular, shortNames, group } = info;
  const preserved = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const openAPIV3Schema = {
    type: 'object',
    ...(info.noEffect === null ? {} : { description: `Without effect in Heddle: ${info.noEffect}.` }),
    properties: { spec: structural(specSchema(info)), status: preserved },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, ...approval(group) },
    spec: {
      group,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        ...(shortNames.length === 0 ? {} : { shortNames }),
      },
      scope: info.isNamespaced ? 'Namespaced' : 'Cluster',
      versions: info.versions.map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        schema: { openAPIV3Schema },
        subresources: { status: {} },
        additionalPrinterColumns: [{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }],
      })),
    },
  };
}

/** Kubernetes wants to be told whether somebody has approved of a kind in one of its own groups. */
function approval(group: string): object {
  if (!group.endsWith('.k8s.io')) return {};
  const text = "unapproved, Heddle's own schemas of the Gateway API";
  return { annotations: { 'api-approved.kubernetes.io': text } };
}

/** What of a schema is structural (https://kubernetes.io/docs, "Specifying a structural schema"). */
function structural(schema: JsonSchema): JsonSchema {
  return mapSchema(schema, (part) => simplified(withoutAlternatives(part)));
}

/** Unknown fields are pruned by Kubernetes, names of keys can't be told, and presence is told in CEL. */
function simplified(part: JsonSchema): JsonSchema {
  const { additionalProperties, propertyNames: _names, allOf: _presence, const: only, ...rest } = part;
  const { contentEncoding: _encoding, exclusiveMinimum, exclusiveMaximum, ...kept } = rest;
  const result: JsonSchema = { ...kept };
  if (only !== undefined) result['enum'] = [only];
  // Draft 4's form, which OpenAPI 3.0 has.
  if (exclusiveMinimum !== undefined)
    Object.assign(result, { minimum: exclusiveMinimum, exclusiveMinimum: true });
  if (exclusiveMaximum !== undefined)
    Object.assign(result, { maximum: exclusiveMaximum, exclusiveMaximum: true });
  // Parts are simplified before what they are parts of.
  const isMap =
    typeof additionalProperties === 'object' &&
    Object.keys(additionalProperties as object).some((key) => key !== 'x-kubernetes-preserve-unknown-fields');
  if (isMap) result['additionalProperties'] = additionalProperties;
  const isLoose = additionalProperties !== undefined && additionalProperties !== false && !isMap;
  if (isLoose || (result['type'] === undefined && result['x-kubernetes-int-or-string'] === undefined))
    result['x-kubernetes-preserve-unknown-fields'] = true;
  return result;
}

/** Null as `nullable`, and a number or a text as Kubernetes has it; other alternatives are let pass. */
function withoutAlternatives(part: JsonSchema): JsonSchema {
  const { type, anyOf, oneOf, ...rest } = part;
  if (Array.isArray(type)) {
    const [one, ...others] = type.filter((name) => name !== 'null');
    return others.length === 0 ? { ...rest, type: one, nullable: true } : rest;
  }
  const choices = (anyOf ?? oneOf) as JsonSchema[] | undefined;
  if (choices === undefined) return part;
  const real = choices.filter((choice) => choice['type'] !== 'null');
  const nullable = real.length < choices.length ? { nullable: true } : {};
  if (real.length === 1) return { ...rest, ...real[0], ...nullable };
  const types = new Set(real.map((choice) => choice['type']));
  const isIntOrString =
    types.size === 2 && types.has('string') && (types.has('integer') || types.has('number'));
  if (isIntOrString) return { ...rest, ...nullable, 'x-kubernetes-int-or-string': true };
  return types.size === 1 ? { ...rest, ...nullable, type: [...types][0] } : { ...rest, ...nullable };
}
