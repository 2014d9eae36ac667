import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { protocSamples, generatedTypes } from '../testing/generated-types.ts';
import { BinaryReader } from './binary-reader.ts';
import { BinaryWriter } from './binary-writer.ts';
import { Cluster } from '../generated/envoy/config/cluster/v3/cluster.ts';
import { ClusterLoadAssignment } from '../generated/envoy/config/endpoint/v3/endpoint.ts';

const types = await generatedTypes();
const samples = protocSamples();

describe('generated messages', () => {
  for (const { type, text, bytes } of samples) {
    it(`keep what protoc encoded: ${type} ${text.slice(0, 60)}`, () => {
      const message = types.get(type)!;
      const decoded = message.decode(bytes);
      const encoded = message.encode(decoded).finish();
      assert.deepEqual(message.decode(encoded), decoded);
      // The order of fields is free; with the fields sorted the bytes are the same, down to the last varint.
      assert.deepEqual(sortedFields(encoded), sortedFields(bytes));
    });
  }

  it('read what protoc wrote', () => {
    const sample = samples.find(({ type }) => type === 'envoy.config.endpoint.v3.ClusterLoadAssignment')!;
    const assignment = ClusterLoadAssignment.decode(sample.bytes);
    assert.equal(assignment.clusterName, 'outbound|9080||reviews.default.svc.cluster.local');
    const [first, second] = assignment.endpoints[0]!.lbEndpoints;
    assert.equal(assignment.endpoints[0]!.priority, 1);
    assert.equal(assignment.endpoints[0]!.loadBalancingWeight, 3);
    assert.equal(first!.healthStatus, 3);
    assert.equal(first!.hostIdentifier?.value.address?.address?.$case, 'socketAddress');
    assert.deepEqual(second!.hostIdentifier?.value.address?.address?.value, {
      path: '/run/app.sock',
      mode: 384,
      _unknownFields: undefined,
    });
  });

  it('keep fields that they do not know', () => {
    const bytes = new BinaryWriter()
      .tag(1, 2)
      .string('c')
      .tag(1000, 2)
      .string('later')
      .tag(1001, 0)
      .uint32(7)
      .finish();
    const reader = new BinaryReader(bytes);
    const cluster = Cluster.decode(reader);
    assert.equal(reader.hasUnknownFields, true);
    assert.deepEqual(Cluster.encode(cluster).finish(), bytes);
  });

  it('treat a known field of the wrong wire type as unknown', () => {
    const cluster = Cluster.decode(new BinaryWriter().tag(1, 0).uint32(5).finish());
    assert.equal(cluster.name, '');
    assert.deepEqual(cluster._unknownFields, { 8: [Uint8Array.of(5)] });
  });

  it('end in an error or a message, whatever the bytes, and never read past the end', () => {
    const kinds = [...types.values()];
    fc.assert(
      fc.property(
        fc.nat(samples.length - 1),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
        fc.nat(kinds.length - 1),
        (index, changes, cut, kind) => {
          const source = samples[index]!.bytes;
          const bytes = Uint8Array.from(source.subarray(0, source.length - (cut % (source.length + 1))));
          for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
          for (const type of [types.get(samples[index]!.type)!, kinds[kind]!]) {
            const reader = new BinaryReader(bytes);
            try {
              type.decode(reader);
              assert.equal(reader.pos, bytes.length);
            } catch (error) {
              if (error instanceof assert.AssertionError) throw error;
              assert.ok(error instanceof Error);
              assert.ok(reader.pos <= bytes.length);
            }
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** The fields of a message in the order of their tags, each as tag and encoded value; nested messages likewise. */
function sortedFields(bytes: Uint8Array): unknown[] {
  const reader = new BinaryReader(bytes);
  const fields: [number, unknown][] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if ((tag & 7) !== 2) fields.push([tag, Buffer.from(reader.skip(tag)).toString('hex')]);
    else fields.push([tag, nested(reader.bytes())]);
  }
  // A map's entry may leave an empty value out.
  return fields
    .filter(([, value]) => !Array.isArray(value) || value.length > 0)
    .toSorted((a, b) => a[0] - b[0]);
}

function nested(bytes: Uint8Array): unknown {
  try {
    return sortedFields(bytes);
  } catch {
    return Buffer.from(bytes).toString('hex');
  }
}
