import { getCiphers } from 'node:tls';
import {
  type TlsParameters as TlsParametersMessage,
  TlsParameters_TlsProtocol as TlsProtocol,
} from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/common.ts';
import type { TlsParameters, TlsVersion } from '../tls/tls-config.ts';
import type { ProblemList } from './problem-list.ts';

/** Versions, suites and curves; what is not said is as in `fallback`. */
export function compileParameters(
  message: TlsParametersMessage | undefined,
  fallback: TlsParameters,
  path: string,
  problems: ProblemList,
): TlsParameters {
  if (message === undefined) return fallback;
  const version = (value: TlsProtocol, otherwise: TlsVersion, field: string): TlsVersion => {
    if (value === TlsProtocol.TLSv1_3) return 'TLSv1.3';
    if (value === TlsProtocol.TLSv1_2) return 'TLSv1.2';
    if (value !== TlsProtocol.TLS_AUTO) problems.unsupported(`${path}.${field}`, 'TLS 1.0 or 1.1');
    return otherwise;
  };
  const minField = 'tls_minimum_protocol_version';
  const minVersion = version(message.tlsMinimumProtocolVersion, fallback.minVersion, minField);
  const maxVersion = version(
    message.tlsMaximumProtocolVersion,
    fallback.maxVersion,
    'tls_maximum_protocol_version',
  );
  if (minVersion > maxVersion) problems.invalid(`${path}.${minField}`, 'must not be above the maximum');
  return {
    minVersion,
    maxVersion,
    cipherSuites: compileSuites(message.cipherSuites, `${path}.cipher_suites`, problems),
    curves: compileCurves(message.ecdhCurves, `${path}.ecdh_curves`, problems),
  };
}

/** Certificates prove who the server is in all of these, and none of them is broken. */
const knownSuite =
  /^(?:ECDHE-(?:ECDSA|RSA)-)?(?:AES(?:128|256)-(?:GCM-SHA(?:256|384)|SHA)|CHACHA20-POLY1305)$/;

function compileSuites(names: readonly string[], path: string, problems: ProblemList): readonly string[] {
  const offered = new Set(getCiphers());
  for (const [index, name] of names.entries()) {
    const place = `${path}[${index}]`;
    if (name.startsWith('[')) problems.unsupported(place, 'preferring several suites equally');
    else if (name.startsWith('TLS_')) problems.invalid(place, 'suites of TLS 1.3 are not configured');
    else if (!knownSuite.test(name) || !offered.has(name.toLowerCase())) {
      problems.unsupported(place, `the cipher suite ${name}`);
    }
  }
  return names;
}

const knownCurves = new Set(['X25519', 'P-256', 'P-384', 'P-521', 'X25519MLKEM768']);

function compileCurves(names: readonly string[], path: string, problems: ProblemList): readonly string[] {
  for (const [index, name] of names.entries()) {
    if (!knownCurves.has(name)) problems.unsupported(`${path}[${index}]`, `the curve ${name}`);
  }
  return names;
}
