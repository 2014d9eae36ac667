import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { firstFlaw } from '@heddle/testkit';
import { kinds, type KindInfo } from '../../kinds/kinds.ts';
import { customResourceDefinition } from './crd.ts';
import { objectSchema, openApiOf } from './object-schema.ts';

function kind(name: string): KindInfo {
  return kinds.find((info) => info.kind === name) ?? assert.fail(name);
}

const routes = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'reviews' },
  spec: {
    hosts: ['reviews'],
    http: [{ match: [{ uri: { prefix: '/' } }], route: [{ destination: { host: 'reviews' } }] }],
  },
};

describe('the JSON Schema of a kind', () => {
  it('takes what the kind takes, and refuses what is unknown, missing, mistyped or exclusive', () => {
    const schema = objectSchema(kind('VirtualService'));
    const flaw = (spec: object, more: object = {}): string | null =>
      firstFlaw(schema, { ...routes, spec, ...more });
    assert.equal(flaw(routes.spec), null);
    assert.equal(
      flaw(routes.spec, { status: { anything: 1 }, apiVersion: 'networking.istio.io/v1alpha3' }),
      null,
    );
    for (const [spec, more] of [
      [{ hosts: 'reviews' }],
      [{ hosts: ['a'], htp: [] }],
      [{ hosts: ['a'], http: [{ match: [{ uri: { prefix: '/', exact: '/' } }] }] }],
      [{ hosts: ['a'], http: [{ match: [{ port: 70_000 }] }] }],
      [routes.spec, { apiVersion: 'networking.istio.io/v2' }],
      [routes.spec, { kind: 'DestinationRule' }],
      [routes.spec, { metadata: {} }],
    ] as const)
      assert.notEqual(flaw(spec, more), null, JSON.stringify([spec, more]));
  });

  it('is there for every kind, with nothing in it that only Kubernetes knows', () => {
    for (const info of kinds) {
      const schema = objectSchema(info);
      assert.doesNotMatch(JSON.stringify(schema), /x-kubernetes/, info.kind);
      // Fails for keywords that the validator does not know.
      firstFlaw(schema, routes);
    }
    const { components } = openApiOf(kinds, '1') as { components: { schemas: object } };
    assert.equal(Object.keys(components.schemas).length, kinds.length);
    assert.ok('io.istio.networking.v1.VirtualService' in components.schemas);
  });

  it('says which fields have no effect yet', () => {
    assert.match(
      JSON.stringify(objectSchema(kind('VirtualService'))),
      /Stored, but without effect: Heddle does not support/,
    );
  });
});

type Part = Record<string, unknown>;

/** Every schema below this one, with where it stands. */
function* parts(schema: Part, path = ''): Generator<[string, Part]> {
  yield [path, schema];
  for (const [name, child] of Object.entries((schema['properties'] ?? {}) as Record<string, Part>))
    yield* parts(child, `${path}.${name}`);
  for (const key of ['items', 'additionalProperties'])
    if (typeof schema[key] === 'object') yield* parts(schema[key] as Part, `${path}[]`);
}

describe('the CustomResourceDefinition of a kind', () => {
  it('has a structural schema', () => {
    const known = new Set([
      ...[
        'type',
        'properties',
        'required',
        'items',
        'additionalProperties',
        'enum',
        'description',
        'nullable',
        'format',
      ],
      ...[
        'minimum',
        'maximum',
        'exclusiveMinimum',
        'exclusiveMaximum',
        'minLength',
        'maxLength',
        'minItems',
        'maxItems',
      ],
      ...[
        'pattern',
        'x-kubernetes-validations',
        'x-kubernetes-int-or-string',
        'x-kubernetes-preserve-unknown-fields',
      ],
    ]);
    const definitions = kinds.flatMap((info): Part[] => {
      const definition = customResourceDefinition(info);
      return definition === undefined ? [] : [definition];
    });
    assert.equal(definitions.length, 25);
    for (const definition of definitions) {
      const { versions, group, names } = definition['spec'] as {
        versions: { schema: { openAPIV3Schema: Part } }[];
        group: string;
        names: { plural: string };
      };
      assert.equal((definition['metadata'] as { name: string }).name, `${names.plural}.${group}`);
      for (const [path, part] of parts(versions[0]!.schema.openAPIV3Schema)) {
        const where = `${names.plural}${path}`;
        for (const key of Object.keys(part)) assert.ok(known.has(key), `${where}: ${key}`);
        const isTyped = typeof part['type'] === 'string' || part['x-kubernetes-int-or-string'] === true;
        assert.ok(isTyped || part['x-kubernetes-preserve-unknown-fields'] === true, where);
        assert.ok(!('properties' in part && 'additionalProperties' in part), where);
      }
    }
  });

  it('says rules between fields in CEL', () => {
    const text = JSON.stringify(customResourceDefinition(kind('VirtualService')));
    assert.ok(
      text.includes(
        '"rule":"[has(self.exact), has(self.prefix), has(self.regex)].filter(x, x).size() <= 1","message":"only one of exact, prefix, regex may be set"',
      ),
    );
    assert.ok(text.includes("duration(self) >= duration('1ms')"));
    assert.equal(customResourceDefinition(kind('Service')), undefined);
  });
});
