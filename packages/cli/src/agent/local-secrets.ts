// The workload's certificate and the roots of the mesh as SDS resources, for whoever shares its machine and its user.
import { hash } from 'node:crypto';
import type { WorkloadIdentity } from '@heddle/identity';
import {
  type DeepPartial,
  type EncodedResource,
  type MessageOf,
  type ResourceChange,
  type ResourceSource,
  type XdsClient,
  TypeUrl,
  encodeMessage,
  encodeResource,
} from '@heddle/xds';

/** SDS names as Istio's. */
const certificateName = 'default';
const bundleName = 'ROOTCA';
const names: ReadonlySet<string> = new Set([certificateName, bundleName]);

type Secret = MessageOf<typeof TypeUrl.secret>;
type Held = Pick<WorkloadIdentity, 'certificate' | 'bundle' | 'onChange'>;

export class LocalSecrets implements ResourceSource {
  private readonly identity: Held;

  constructor(identity: Held) {
    this.identity = identity;
  }

  get(_client: XdsClient, typeUrl: string, name: string): EncodedResource | undefined {
    if (typeUrl !== TypeUrl.secret) return undefined;
    const { certificate, bundle } = this.identity;
    if (name === certificateName) {
      const { certificateChain, privateKey } = certificate;
      return secret(name, {
        $case: 'tlsCertificate',
        value: { certificateChain: inline(certificateChain), privateKey: inline(privateKey) },
      });
    }
    if (name !== bundleName) return undefined;
    return secret(name, { $case: 'validationContext', value: { trustedCa: inline(bundle.pem) } });
  }

  /** Secrets have no wildcard: whoever wants one names it. */
  list(): Iterable<string> {
    return [];
  }

  watch(listener: (changes: readonly ResourceChange[]) => void): () => void {
    return this.identity.onChange(() => listener([{ typeUrl: TypeUrl.secret, names }]));
  }
}

function inline(pem: string): { specifier: { $case: 'inlineBytes'; value: Buffer } } {
  return { specifier: { $case: 'inlineBytes', value: Buffer.from(pem, 'ascii') } };
}

function secret(name: string, type: DeepPartial<NonNullable<Secret['type']>>): EncodedResource {
  const message = encodeMessage(TypeUrl.secret, { name, type });
  const version = hash('sha256', message, 'base64url').slice(0, 22);
  return encodeResource(TypeUrl.secret, name, version, message);
}
