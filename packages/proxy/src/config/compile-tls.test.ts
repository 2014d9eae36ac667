import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import { temporaryDirectory } from '@heddle/testkit';
import { type DeepPartial, type MessageOf, TypeUrl, packAny } from '@heddle/xds';
import type { DownstreamTlsConfig, UpstreamTlsConfig } from '../tls/tls-config.ts';
import { compileDownstreamTls, compileUpstreamTls } from './compile-tls.ts';
import { ads } from './config-store-harness.ts';
import { ProblemList } from './problem-list.ts';
import { FileMaterials } from './tls-materials.ts';

type Downstream = DeepPartial<MessageOf<typeof TypeUrl.downstreamTlsContext>>;
type Upstream = DeepPartial<MessageOf<typeof TypeUrl.upstreamTlsContext>>;
type Common = NonNullable<Upstream['commonTlsContext']>;

const root = makeRoot('cluster.local');
const leaf = makeLeaf(root, 'spiffe://cluster.local/ns/a/sa/b', { dnsNames: ['Example.COM'] });
const other = makeLeaf(root, 'spiffe://cluster.local/ns/a/sa/b');
const directory = await temporaryDirectory();
after(() => directory[Symbol.asyncDispose]());
const files = { cert: join(directory.path, 'cert.pem'), key: join(directory.path, 'key.pem') };
writeFileSync(files.cert, leaf.pem);
writeFileSync(files.key, leaf.keyPem);

const inline = (value: string) => ({ specifier: { $case: 'inlineString' as const, value } });
const filename = (value: string) => ({ specifier: { $case: 'filename' as const, value } });
const sds = (name: string) => ({ name, sdsConfig: ads });
const own = [{ certificateChain: inline(leaf.pem), privateKey: inline(leaf.keyPem) }];
const roots = { $case: 'validationContext' as const, value: { trustedCa: inline(root.pem) } };
const prefix = 'transport_socket.typed_config.';

function finish<T>(config: T, problems: ProblemList): { config: T; problems: readonly string[] } {
  const texts = problems.problems.map(({ path, message }) => `${path}: ${message}`);
  return { config, problems: texts.map((text) => text.replace(prefix, '')) };
}

function downstream(context: Downstream): {
  config: DownstreamTlsConfig | null;
  problems: readonly string[];
} {
  const problems = new ProblemList();
  const value = packAny(TypeUrl.downstreamTlsContext, context);
  const socket = { name: 'tls', configType: { $case: 'typedConfig' as const, value } };
  return finish(compileDownstreamTls(socket, 'transport_socket', problems, new FileMaterials()), problems);
}

function upstream(context: Upstream): { config: UpstreamTlsConfig | null; problems: readonly string[] } {
  const problems = new ProblemList();
  const value = packAny(TypeUrl.upstreamTlsContext, context);
  const socket = { name: 'tls', configType: { $case: 'typedConfig' as const, value } };
  return finish(compileUpstreamTls(socket, 'transport_socket', problems, new FileMaterials()), problems);
}

test('a listener with a certificate from files asks its clients for none', () => {
  const { config, problems } = downstream({
    commonTlsContext: {
      tlsParams: { tlsMinimumProtocolVersion: 4 },
      tlsCertificates: [{ certificateChain: filename(files.cert), privateKey: filename(files.key) }],
    },
  });
  assert.deepEqual(problems, []);
  assert.equal(config?.validation, null);
  assert.equal(config.requiresClientCertificate, false);
  assert.deepEqual(config.tickets, { kind: 'own' });
  assert.equal(config.sessionTimeoutSeconds, 7200);
  assert.deepEqual([config.parameters.minVersion, config.parameters.maxVersion], ['TLSv1.3', 'TLSv1.3']);
  const [source] = config.certificates;
  assert.ok(source?.kind === 'static');
  assert.deepEqual(source.certificate.dnsNames, ['example.com']);
  assert.equal(source.certificate.privateKey, leaf.keyPem);
});

test('no key and no ticket key is in what a configuration prints as', () => {
  const key = Buffer.alloc(80, 'k');
  const { config } = downstream({
    commonTlsContext: { tlsCertificates: own },
    sessionTicketKeysType: {
      $case: 'sessionTicketKeys',
      value: { keys: [{ specifier: { $case: 'inlineBytes', value: key } }] },
    },
  });
  assert.equal(config?.tickets.kind, 'given');
  const text = JSON.stringify(config);
  assert.doesNotMatch(text, /PRIVATE|kkk|107,107/);
  assert.doesNotMatch(text, /a2tr/);
});

test('TLS 1.2 is there where nothing is said, and for members of the mesh where it is asked for', () => {
  const open = downstream({ commonTlsContext: { tlsCertificates: own } });
  assert.equal(open.config?.parameters.minVersion, 'TLSv1.2');
  const mesh: Common = {
    tlsCertificateSdsSecretConfigs: [sds('default')],
    validationContextType: { $case: 'validationContextSdsSecretConfig', value: sds('ROOTCA') },
  };
  assert.equal(upstream({ commonTlsContext: mesh }).config?.parameters.minVersion, 'TLSv1.3');
  const asked = upstream({ commonTlsContext: { ...mesh, tlsParams: { tlsMinimumProtocolVersion: 3 } } });
  assert.equal(asked.config?.parameters.minVersion, 'TLSv1.2');
});

test('takes roots, names and hashes to verify a peer by', () => {
  const hash = 'AB:'.repeat(31) + 'AB';
  const { config, problems } = upstream({
    sni: 'example.com',
    maxSessionKeys: 5,
    commonTlsContext: {
      validationContextType: {
        $case: 'validationContext',
        value: {
          trustedCa: inline(root.pem),
          verifyCertificateHash: [hash],
          matchTypedSubjectAltNames: [
            { sanType: 2, matcher: { matchPattern: { $case: 'exact', value: 'example.com' } } },
            { sanType: 4, matcher: { matchPattern: { $case: 'prefix', value: '10.' } } },
          ],
        },
      },
    },
  });
  assert.deepEqual(problems, []);
  assert.ok(config?.validation?.kind === 'roots');
  assert.deepEqual(
    config.validation.sans.map((san) => san.type),
    ['dns', 'ip'],
  );
  assert.deepEqual(config.validation.certificateHashes, ['ab'.repeat(32)]);
  assert.deepEqual([config.sni, config.maxSessions], ['example.com', 5]);
});

test('files are read again when a configuration comes again, and remembered as they were when it is used', () => {
  const materials = new FileMaterials();
  const record = { files: new Map<string, Uint8Array>(), secrets: [] };
  materials.keepIn(record);
  const path = join(directory.path, 'changing.pem');
  writeFileSync(path, 'one');
  assert.ok(materials.read(path).ok);
  writeFileSync(path, 'two');
  const before = materials.remembered.read(path);
  assert.equal(before.ok && before.value.toString(), 'one');
  const now = materials.read(path);
  assert.equal(now.ok && now.value.toString(), 'two');
  writeFileSync(path, 'three');
  const otherThread = new FileMaterials();
  otherThread.adopt(structuredClone(record));
  const there = otherThread.read(path);
  assert.equal(there.ok && there.value.toString(), 'two');
});

const certificates = 'common_tls_context.tls_certificates[0]';
const downstreamRefusals: readonly [string, Downstream][] = [
  ['common_tls_context: is required', {}],
  [
    'common_tls_context: needs a certificate in tls_certificates or tls_certificate_sds_secret_configs',
    { commonTlsContext: {} },
  ],
  [
    'require_client_certificate: asking for a certificate that nobody verifies is not supported yet',
    { commonTlsContext: { tlsCertificates: own }, requireClientCertificate: true },
  ],
  [
    `${certificates}.private_key.inline_string: is not the key of the certificate`,
    { commonTlsContext: { tlsCertificates: [{ ...own[0], privateKey: inline(other.keyPem) }] } },
  ],
  [
    `${certificates}.private_key.inline_string: holds no private key in PEM that can be read without a password`,
    { commonTlsContext: { tlsCertificates: [{ ...own[0], privateKey: inline('SECRET') }] } },
  ],
  [
    `${certificates}.certificate_chain.inline_string: is no certificate chain: there is no PEM block CERTIFICATE`,
    { commonTlsContext: { tlsCertificates: [{ ...own[0], certificateChain: inline('x') }] } },
  ],
  [
    `${certificates}.private_key: needs filename, inline_string or inline_bytes`,
    { commonTlsContext: { tlsCertificates: [{ certificateChain: inline(leaf.pem) }] } },
  ],
  [
    `${certificates}.certificate_chain.filename: "/nowhere/a.pem" can't be read: there is no such file`,
    { commonTlsContext: { tlsCertificates: [{ ...own[0], certificateChain: filename('/nowhere/a.pem') }] } },
  ],
  [
    'session_ticket_keys.keys[0].inline_string: has 4 bytes instead of 80',
    {
      commonTlsContext: { tlsCertificates: own },
      sessionTicketKeysType: { $case: 'sessionTicketKeys', value: { keys: [inline('much')] } },
    },
  ],
  [
    'session_timeout: must not be longer than seven days',
    { commonTlsContext: { tlsCertificates: own }, sessionTimeout: { seconds: 604_801, nanos: 0 } },
  ],
  [
    'ocsp_staple_policy: stapling is not supported yet',
    { commonTlsContext: { tlsCertificates: own }, ocspStaplePolicy: 2 },
  ],
];
for (const [problem, context] of downstreamRefusals) {
  test(`a listener's TLS is refused: ${problem}`, () =>
    assert.deepEqual(downstream(context).problems, [problem]));
}

const upstreamRefusals: readonly [string, Common][] = [
  ['TLS that does not verify its peer is not supported yet', { tlsCertificates: own }],
  [
    '.validation_context: TLS that does not verify its peer is not supported yet',
    { validationContextType: { $case: 'validationContext', value: {} } },
  ],
  [
    '.validation_context.trust_chain_verification: ACCEPT_UNTRUSTED is not supported yet',
    {
      validationContextType: {
        $case: 'validationContext',
        value: { trustedCa: inline(root.pem), trustChainVerification: 1 },
      },
    },
  ],
  [
    '.validation_context.trusted_ca.inline_string: is no list of certificates: there is no PEM block CERTIFICATE',
    { validationContextType: { $case: 'validationContext', value: { trustedCa: inline('x') } } },
  ],
  [
    '.validation_context.verify_certificate_spki[0]: must be a SHA-256 in base64',
    {
      validationContextType: {
        $case: 'validationContext',
        value: { trustedCa: inline(root.pem), verifyCertificateSpki: ['x'] },
      },
    },
  ],
  [
    '.tls_params.tls_minimum_protocol_version: TLS 1.0 or 1.1 is not supported yet',
    { validationContextType: roots, tlsParams: { tlsMinimumProtocolVersion: 1 } },
  ],
  [
    '.tls_params.tls_minimum_protocol_version: must not be above the maximum',
    {
      validationContextType: roots,
      tlsParams: { tlsMinimumProtocolVersion: 4, tlsMaximumProtocolVersion: 3 },
    },
  ],
  [
    '.tls_params.cipher_suites[0]: the cipher suite RC4-SHA is not supported yet',
    { validationContextType: roots, tlsParams: { cipherSuites: ['RC4-SHA'] } },
  ],
  [
    '.tls_params.ecdh_curves[0]: the curve P-224 is not supported yet',
    { validationContextType: roots, tlsParams: { ecdhCurves: ['P-224'] } },
  ],
  ['.alpn_protocols[0]: must have 1 to 255 bytes', { validationContextType: roots, alpnProtocols: [''] }],
  [
    '.tls_certificate_sds_secret_configs[0].name: a certificate by xDS other than "default" is not supported yet',
    { validationContextType: roots, tlsCertificateSdsSecretConfigs: [sds('x')] },
  ],
  [
    '.tls_certificate_sds_secret_configs[0].name: there is no static secret "x"',
    { validationContextType: roots, tlsCertificateSdsSecretConfigs: [{ name: 'x' }] },
  ],
  [
    '.combined_validation_context.default_validation_context.match_typed_subject_alt_names[0].san_type: matching anything but URI of a SPIFFE identity is not supported yet',
    {
      validationContextType: {
        $case: 'combinedValidationContext',
        value: {
          validationContextSdsSecretConfig: sds('ROOTCA'),
          defaultValidationContext: {
            matchTypedSubjectAltNames: [
              { sanType: 2, matcher: { matchPattern: { $case: 'exact', value: 'x' } } },
            ],
          },
        },
      },
    },
  ],
];
for (const [problem, common] of upstreamRefusals) {
  test(`a cluster's TLS is refused: ${problem}`, () => {
    const { problems } = upstream({ commonTlsContext: common });
    const path = problem.startsWith('.') ? 'common_tls_context' : 'common_tls_context: ';
    assert.deepEqual(problems, [path + problem]);
  });
}
