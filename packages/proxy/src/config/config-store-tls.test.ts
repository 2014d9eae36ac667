import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeepPartial, type MessageOf, packAny, TypeUrl } from '@heddle/xds';
import { ads, edsCluster, Harness, listener, routes } from './config-store-harness.ts';

const sds = (name: string) => ({ name, sdsConfig: ads });
const common: NonNullable<DeepPartial<MessageOf<typeof TypeUrl.upstreamTlsContext>>['commonTlsContext']> = {
  tlsParams: { tlsMinimumProtocolVersion: 4, tlsMaximumProtocolVersion: 4 },
  tlsCertificateSdsSecretConfigs: [sds('default')],
  validationContextType: {
    $case: 'combinedValidationContext',
    value: {
      defaultValidationContext: {
        matchTypedSubjectAltNames: [
          {
            sanType: 3,
            matcher: {
              matchPattern: { $case: 'exact', value: 'spiffe://cluster.local/ns/default/sa/reviews' },
            },
          },
        ],
      },
      validationContextSdsSecretConfig: sds('ROOTCA'),
    },
  },
};

test('a cluster with TLS asks for its trust bundle and says whom it accepts', () => {
  const harness = new Harness();
  harness.accept(
    TypeUrl.cluster,
    'a',
    edsCluster('a', {
      transportSocket: {
        name: 'envoy.transport_sockets.tls',
        configType: {
          $case: 'typedConfig',
          value: packAny(TypeUrl.upstreamTlsContext, {
            commonTlsContext: { ...common, alpnProtocols: ['istio-http/1.1', 'http/1.1'] },
            sni: 'outbound_.9080_._.a',
          }),
        },
      },
    }),
  );
  assert.deepEqual(harness.takeEvents(), ['+sds ROOTCA', '+eds a']);
  const tls = harness.store.clusters.slot('a').get()?.config.tls;
  assert.deepEqual(tls?.certificates, [{ kind: 'secret', name: 'default' }]);
  assert.ok(tls.validation?.kind === 'mesh');
  assert.equal(tls.validation.bundleSecret, 'ROOTCA');
  assert.equal(tls.sni, 'outbound_.9080_._.a');
  assert.deepEqual(tls.alpn, ['istio-http/1.1', 'http/1.1']);
  const [san] = tls.validation.sans;
  assert.equal(tls.validation.sans.length, 1);
  assert.equal(san?.matcher.matches('spiffe://cluster.local/ns/default/sa/reviews'), true);
  assert.equal(san.matcher.matches('spiffe://cluster.local/ns/default/sa/reviewsx'), false);
});

function secureListener(requireClientCertificate: boolean): DeepPartial<MessageOf<typeof TypeUrl.listener>> {
  const inbound = listener('in', {
    routeSpecifier: { $case: 'routeConfig', value: routes('', { '*': 's' }) },
  });
  inbound.filterChains![0]!.transportSocket = {
    name: 'envoy.transport_sockets.tls',
    configType: {
      $case: 'typedConfig',
      value: packAny(TypeUrl.downstreamTlsContext, { commonTlsContext: common, requireClientCertificate }),
    },
  };
  return inbound;
}

test('a listener with TLS is warm once its trust bundle is there', () => {
  const harness = new Harness();
  harness.accept(TypeUrl.listener, 'in', secureListener(true));
  harness.store.commit(TypeUrl.listener);
  assert.equal(harness.store.isWarm, false);
  harness.accept(TypeUrl.secret, 'ROOTCA', {
    name: 'ROOTCA',
    type: {
      $case: 'validationContext',
      value: { trustedCa: { specifier: { $case: 'inlineString', value: 'PEM' } } },
    },
  });
  assert.equal(harness.store.isWarm, true);
  assert.deepEqual(harness.takeEvents(), ['+sds ROOTCA', 'listener in', 'bundle ROOTCA PEM']);
});

test('leaves it to the client whether it shows a certificate where none is required', () => {
  const harness = new Harness();
  harness.accept(TypeUrl.listener, 'in', secureListener(false));
  const [chain] = harness.store.listeners[0]!.filterChains;
  assert.equal(chain!.tls?.requiresClientCertificate, false);
  assert.equal(chain!.tls.validation?.kind, 'mesh');
});

test('refuses a private key that comes over the wire', () => {
  const reason = new Harness().apply(TypeUrl.secret, 'default', {
    name: 'default',
    type: {
      $case: 'tlsCertificate',
      value: { privateKey: { specifier: { $case: 'inlineString', value: 'SECRET' } } },
    },
  });
  assert.match(reason ?? '', /tls_certificate: a private key from the control plane is not supported yet/);
  assert.doesNotMatch(reason ?? '', /SECRET/);
});
