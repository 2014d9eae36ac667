/**
 * Fields of Envoy's API that gRPC's clients read and our proxy does not: they stand in none of our messages, so that a proxy which
 * is sent one refuses it by its name.
 */
import { BinaryWriter } from '@heddle/xds/wire/binary-writer.ts';

const lengthDelimited = 2;

/** A message of ours that may carry fields that it doesn't know. */
interface Extensible {
  _unknownFields?: { [tag: number]: Uint8Array[] } | undefined;
}

/** Puts an encoded message, or a text, into a field of this number; again for repeated ones. */
export function putField(message: Extensible, number: number, value: Uint8Array | string): void {
  const encoded = new BinaryWriter();
  if (typeof value === 'string') encoded.string(value);
  else encoded.bytes(value);
  const fields = (message._unknownFields ??= {});
  (fields[(number << 3) | lengthDelimited] ??= []).push(encoded.finish());
}

/** The plugin of `certificate_providers` in a bootstrap, and what it is asked for. */
export function certificateProvider(certificateName: string): Uint8Array {
  // CertificateProviderPluginInstance: instance_name = 1, certificate_name = 2.
  return new BinaryWriter().tag(1, 2).string('default').tag(2, 2).string(certificateName).finish();
}

export const FieldNumber = {
  /** Of `Cluster`: a `ConfigSource`. */
  loadReports: 42,
  /** Of `Listener`: an `ApiListener`. */
  apiListener: 19,
  /** Of `Route`: an empty message. */
  nonForwardingAction: 18,
  /** Of `CommonTlsContext`. */
  certificateProvider: 14,
  /** Of `CertificateValidationContext`: the provider of the roots. */
  rootsProvider: 13,
  /** Of `CertificateValidationContext`: `StringMatcher`s; the field with types beside them is not read by gRPC. */
  subjectAltNames: 9,
} as const;
