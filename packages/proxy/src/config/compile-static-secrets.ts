import { assertNever } from '@heddle/base';
import { Secret } from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import { compileCertificate, compileRoots, compileTicketKeys } from './compile-tls-secrets.ts';
import type { ProblemList } from './problem-list.ts';
import type { FileMaterials, MaterialsRecord, StaticSecret, TlsMaterials } from './tls-materials.ts';

/** Compiles `static_resources.secrets` and puts them where TLS contexts look for them. */
export function compileStaticSecrets(
  record: MaterialsRecord,
  materials: FileMaterials,
  problems: ProblemList,
): void {
  const byName = new Map<string, StaticSecret>();
  for (const [index, bytes] of record.secrets.entries()) {
    const message = Secret.decode(bytes);
    const path = `static_resources.secrets[${index}]`;
    const secret = compileStaticSecret(message, path, materials, problems);
    if (byName.has(message.name)) {
      problems.invalid(`${path}.name`, `there is another one with the name ${message.name}`);
    }
    if (secret !== null) byName.set(message.name, secret);
  }
  materials.setSecrets(byName);
}

/** A static secret; null with problems noted. */
function compileStaticSecret(
  message: Secret,
  path: string,
  materials: TlsMaterials,
  problems: ProblemList,
): StaticSecret | null {
  if (message.name === '') problems.invalid(`${path}.name`, 'must not be empty');
  const { type } = message;
  switch (type?.$case) {
    case undefined:
      problems.invalid(path, 'needs tls_certificate, validation_context or session_ticket_keys');
      return null;
    case 'tlsCertificate': {
      const certificate = compileCertificate(type.value, `${path}.tls_certificate`, materials, problems);
      return certificate === null ? null : { kind: 'certificate', certificate };
    }
    case 'validationContext': {
      const validation = compileRoots(type.value, `${path}.validation_context`, materials, problems);
      return validation === null ? null : { kind: 'validation', validation };
    }
    case 'sessionTicketKeys':
      return {
        kind: 'ticket-keys',
        keys: compileTicketKeys(type.value, `${path}.session_ticket_keys`, materials, problems),
      };
    default:
      return assertNever(type);
  }
}
