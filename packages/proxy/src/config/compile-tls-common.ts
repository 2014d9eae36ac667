import { assertNever } from '@heddle/base';
import type { SdsSecretConfig } from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import type { CommonTlsContext } from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/tls.ts';
import type { CertificateSource, DownstreamTlsConfig, PeerValidation } from '../tls/tls-config.ts';
import { modernParameters, openParameters } from '../tls/tls-parameters.ts';
import { compileParameters } from './compile-tls-parameters.ts';
import { compileCertificate, compileChecks, compileRoots } from './compile-tls-secrets.ts';
import { checkConfigSource } from './config-source.ts';
import type { ProblemList } from './problem-list.ts';
import type { StaticSecret, TlsMaterials } from './tls-materials.ts';

/** The name of the workload's own certificate, the only one there is by SDS: its key is made in the sidecar. */
const ownCertificate = 'default';

/** What both roles have. */
export type CommonTls = Pick<DownstreamTlsConfig, 'certificates' | 'validation' | 'parameters' | 'alpn'>;

/** What the contexts of both roles have in common; null with a problem noted. */
export function compileCommon(
  common: CommonTlsContext | undefined,
  path: string,
  materials: TlsMaterials,
  problems: ProblemList,
): CommonTls | null {
  if (common === undefined) {
    problems.invalid(path, 'is required');
    return null;
  }
  const validation = compileValidation(common, path, materials, problems);
  const fallback = validation?.kind === 'mesh' ? modernParameters : openParameters;
  return {
    certificates: compileCertificates(common, path, materials, problems),
    validation,
    parameters: compileParameters(common.tlsParams, fallback, `${path}.tls_params`, problems),
    alpn: compileAlpn(common.alpnProtocols, `${path}.alpn_protocols`, problems),
  };
}

function compileAlpn(names: readonly string[], path: string, problems: ProblemList): readonly string[] {
  for (const [index, name] of names.entries()) {
    const length = Buffer.byteLength(name);
    if (length === 0 || length > 255) problems.invalid(`${path}[${index}]`, 'must have 1 to 255 bytes');
  }
  return names;
}

function compileCertificates(
  common: CommonTlsContext,
  path: string,
  materials: TlsMaterials,
  problems: ProblemList,
): readonly CertificateSource[] {
  const sources: CertificateSource[] = [];
  for (const [index, message] of common.tlsCertificates.entries()) {
    const place = `${path}.tls_certificates[${index}]`;
    const certificate = compileCertificate(message, place, materials, problems);
    if (certificate !== null) sources.push({ kind: 'static', certificate });
  }
  const references = common.tlsCertificateSdsSecretConfigs;
  const place = `${path}.tls_certificate_sds_secret_configs`;
  if (references.length > 0 && common.tlsCertificates.length > 0) {
    problems.invalid(place, 'does not go with tls_certificates');
  }
  for (const [index, reference] of references.entries()) {
    const source = referredCertificate(reference, `${place}[${index}]`, materials, problems);
    if (source !== null) sources.push(source);
  }
  if (sources.length > 1 && sources.some((source) => source.kind === 'secret')) {
    problems.unsupported(`${place}[1]`, 'a second certificate beside one by xDS');
  }
  return sources;
}

function referredCertificate(
  reference: SdsSecretConfig,
  path: string,
  materials: TlsMaterials,
  problems: ProblemList,
): CertificateSource | null {
  const secret = staticSecret(reference, path, materials, problems);
  if (secret === 'missing') return null;
  if (secret !== null) {
    if (secret.kind === 'certificate') return { kind: 'static', certificate: secret.certificate };
    problems.invalid(`${path}.name`, `"${reference.name}" holds no certificate`);
    return null;
  }
  if (reference.name !== ownCertificate) {
    problems.unsupported(`${path}.name`, `a certificate by xDS other than "${ownCertificate}"`);
    return null;
  }
  return { kind: 'secret', name: reference.name };
}

/** The static secret that a reference without a source means; null where it names a source, which has been checked then. */
export function staticSecret(
  reference: SdsSecretConfig,
  path: string,
  materials: TlsMaterials,
  problems: ProblemList,
): StaticSecret | 'missing' | null {
  if (reference.name === '') {
    problems.invalid(`${path}.name`, 'must not be empty');
    return 'missing';
  }
  if (reference.sdsConfig !== undefined) {
    checkConfigSource(reference.sdsConfig, `${path}.sds_config`, problems);
    return null;
  }
  const secret = materials.secret(reference.name);
  if (secret !== null) return secret;
  problems.invalid(
    `${path}.name`,
    `there is no static secret "${reference.name}"`,
    'without sds_config it must stand in static_resources.secrets',
  );
  return 'missing';
}

function compileValidation(
  common: CommonTlsContext,
  path: string,
  materials: TlsMaterials,
  problems: ProblemList,
): PeerValidation | null {
  const context = common.validationContextType;
  switch (context?.$case) {
    case undefined:
      return null;
    case 'validationContext':
      return compileRoots(context.value, `${path}.validation_context`, materials, problems);
    case 'validationContextSdsSecretConfig':
      return referredValidation(
        context.value,
        `${path}.validation_context_sds_secret_config`,
        { sans: [], certificateHashes: [], publicKeyHashes: [] },
        '',
        materials,
        problems,
      );
    case 'combinedValidationContext': {
      const place = `${path}.combined_validation_context`;
      const { validationContextSdsSecretConfig: reference, defaultValidationContext: message } =
        context.value;
      const defaultPath = `${place}.default_validation_context`;
      const checks = compileChecks(message, defaultPath, problems);
      if (message?.trustedCa !== undefined) {
        problems.unsupported(`${defaultPath}.trusted_ca`, undefined, 'use the secret alone');
      }
      if (reference === undefined) {
        problems.invalid(`${place}.validation_context_sds_secret_config`, 'is required');
        return null;
      }
      return referredValidation(
        reference,
        `${place}.validation_context_sds_secret_config`,
        checks,
        defaultPath,
        materials,
        problems,
      );
    }
    default:
      return assertNever(context);
  }
}

/** Roots under a name, with the conditions that stand beside the name. */
function referredValidation(
  reference: SdsSecretConfig,
  path: string,
  checks: ReturnType<typeof compileChecks>,
  checksPath: string,
  materials: TlsMaterials,
  problems: ProblemList,
): PeerValidation | null {
  const { sans, certificateHashes, publicKeyHashes } = checks;
  const secret = staticSecret(reference, path, materials, problems);
  if (secret === 'missing') return null;
  if (secret === null) {
    for (const [index, { type }] of sans.entries()) {
      if (type === 'uri') continue;
      const place = `${checksPath}.match_typed_subject_alt_names[${index}].san_type`;
      problems.unsupported(place, 'matching anything but URI of a SPIFFE identity');
    }
    if (certificateHashes.length > 0) problems.unsupported(`${checksPath}.verify_certificate_hash`);
    if (publicKeyHashes.length > 0) problems.unsupported(`${checksPath}.verify_certificate_spki`);
    return { kind: 'mesh', bundleSecret: reference.name, sans };
  }
  if (secret.kind !== 'validation') {
    problems.invalid(`${path}.name`, `"${reference.name}" holds no validation context`);
    return null;
  }
  const { validation } = secret;
  return {
    ...validation,
    sans: [...validation.sans, ...sans],
    certificateHashes: [...validation.certificateHashes, ...certificateHashes],
    publicKeyHashes: [...validation.publicKeyHashes, ...publicKeyHashes],
  };
}
