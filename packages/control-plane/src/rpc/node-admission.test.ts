import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Node } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import { admitNode } from './node-admission.ts';

function admit(metadata: Record<string, unknown>, id: string, identity: string): number {
  const node = Node.fromPartial({ id, metadata });
  const peer = { identity, remoteAddress: '127.0.0.1:1', certificateNotAfter: 0 };
  return admitNode({ node, peer }, 'cluster.local')?.code ?? 0;
}

const own = { NAMESPACE: 'default', SERVICE_ACCOUNT: 'reviews' };
const id = 'sidecar~reviews-1~reviews.default~default.svc.cluster.local';
const identity = 'spiffe://cluster.local/ns/default/sa/reviews';

describe('admission of nodes', () => {
  it('lets a node in that is who its certificate says', () => {
    assert.equal(admit(own, id, identity), 0);
    assert.equal(admit({ NAMESPACE: 'default' }, 'an id of its own', identity), 0);
  });

  it('refuses another namespace, service account or trust domain than the certificate has', () => {
    assert.equal(admit({ ...own, NAMESPACE: 'other' }, 'an id of its own', identity), 7);
    assert.equal(admit({ ...own, SERVICE_ACCOUNT: 'admin' }, id, identity), 7);
    assert.equal(admit(own, id, identity.replace('cluster.local', 'elsewhere')), 7);
    assert.equal(admit(own, id.replaceAll('default', 'other'), identity), 7);
    assert.equal(admit(own, id, 'not an id'), 7);
  });

  it('names the field of metadata that cannot be used', () => {
    assert.equal(admit({}, id, identity), 3);
    const node = Node.fromPartial({ id, metadata: { ...own, INBOUND: { address: '127.0.0.1', port: 'x' } } });
    const peer = { identity, remoteAddress: '', certificateNotAfter: 0 };
    assert.match(admitNode({ node, peer }, 'cluster.local')?.message ?? '', /node\.metadata\.INBOUND\.port/);
  });
});
