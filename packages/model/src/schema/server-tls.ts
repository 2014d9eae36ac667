// How a listener that users write ends TLS.
import { z } from 'zod';
import { about, hasAtMostOne, wrapper } from './fields.ts';
import { letsOneBeSet } from './rules.ts';

const tlsVersion = z.enum(['TLS_AUTO', 'TLSV1_0', 'TLSV1_1', 'TLSV1_2', 'TLSV1_3']);

const certificateFields = {
  serverCertificate: z.string().optional(),
  privateKey: z.string().optional(),
  caCertificates: z.string().optional(),
};

const certificateSources = ['credentialName', 'credentialNames', 'tlsCertificates'];

export const serverTls = z
  .strictObject({
    httpsRedirect: z.boolean().optional(),
    mode: z
      .enum(['PASSTHROUGH', 'SIMPLE', 'MUTUAL', 'AUTO_PASSTHROUGH', 'ISTIO_MUTUAL', 'OPTIONAL_MUTUAL'])
      .optional(),
    ...certificateFields,
    caCrl: z.string().optional(),
    credentialName: z.string().optional(),
    credentialNames: z.array(z.string()).min(1).max(2).optional(),
    caCertCredentialName: z.string().optional(),
    tlsCertificates: z.array(z.strictObject(certificateFields)).min(1).max(2).optional(),
    subjectAltNames: z.array(z.string()).optional(),
    verifyCertificateSpki: z.array(z.string()).optional(),
    verifyCertificateHash: z.array(z.string()).optional(),
    minProtocolVersion: tlsVersion.optional(),
    maxProtocolVersion: tlsVersion.optional(),
    cipherSuites: z.array(z.string()).optional(),
    insecureSkipVerify: wrapper(z.boolean()),
  })
  .refine(
    letsOneBeSet(certificateSources, (tls: object) => hasAtMostOne(tls, certificateSources)),
    about(
      'names its certificates twice: only one of credentialName, credentialNames, tlsCertificates may be set',
    ),
  );
