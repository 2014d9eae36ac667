import { defineCommand } from './define-command.ts';

export interface SchemaFlags {
  readonly output: 'json' | 'openapi' | 'crd';
}

export const schemaCommand = defineCommand<SchemaFlags, readonly string[]>(
  {
    brief: 'Print the schemas of the kinds, for editors, pipelines and Kubernetes',
    usage: ['[KIND...] [FLAGS]'],
    text: [
      'Of all kinds unless some are named. -o json is JSON Schema (draft 2020-12), of several kinds an object with one for ' +
        'each; -o openapi an OpenAPI 3.1 document; -o crd the CustomResourceDefinitions for Kubernetes, as YAML, with rules ' +
        'between fields in CEL. Needs no control plane. A schema refuses nothing that Heddle takes; some rules between ' +
        'fields can be said by none, and stand in descriptions.',
    ],
    examples: [
      ['For an editor that checks while you type', 'heddle schema virtualservice > virtualservice.json'],
      ['Let Kubernetes know the kinds', 'heddle schema -o crd | kubectl apply -f -'],
    ],
  },
  {
    flags: {
      output: { kind: 'enum', values: ['json', 'openapi', 'crd'], default: 'json', brief: 'which form' },
    },
    aliases: { o: 'output' },
    positional: {
      kind: 'array',
      parameter: {
        parse: String,
        brief: 'such as virtualservice, vs or gateways.networking.istio.io',
        placeholder: 'KIND',
      },
    },
  },
  async () => (await import('../schema/print-schema.ts')).printSchema,
);
