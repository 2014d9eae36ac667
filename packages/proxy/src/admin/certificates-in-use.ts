import { type Certificate, parseCertificates } from '@heddle/identity';
import type { EndpointPool } from '../cluster/endpoint.ts';
import type { ConfigStore } from '../config/config-store.ts';
import type { DownstreamTlsConfig, UpstreamTlsConfig } from '../tls/tls-config.ts';
import type { CertificateDetails, CertificateEntry } from './certificates-page.ts';

/** The certificates that stand in the configuration itself: those of listeners, and of clusters that are in use. */
export function certificatesInUse<P extends EndpointPool>(store: ConfigStore<P>): CertificateEntry[] {
  const contexts: (DownstreamTlsConfig | UpstreamTlsConfig | null)[] = [];
  for (const { filterChains, defaultFilterChain } of store.listeners) {
    for (const chain of filterChains) contexts.push(chain.tls);
    if (defaultFilterChain !== null) contexts.push(defaultFilterChain.tls);
  }
  for (const { config } of store.clusters.built()) {
    contexts.push(config.tls, ...(config.transportMatches ?? []).map(({ tls }) => tls));
  }
  return contexts.flatMap((context) => (context === null ? [] : entryOf(context)));
}

function entryOf({ certificates, validation }: DownstreamTlsConfig | UpstreamTlsConfig): CertificateEntry[] {
  const roots = validation?.kind === 'roots' ? parseCertificates(validation.roots) : null;
  const rootsFile = validation?.kind === 'roots' ? validation.rootsFile : '';
  const authorities = roots?.ok === true ? roots.value.map((root) => detailsOf(root, rootsFile)) : [];
  const own = certificates.flatMap((source) =>
    source.kind === 'static' ? [detailsOf(source.certificate.leaf, source.certificate.file)] : [],
  );
  return authorities.length + own.length === 0 ? [] : [{ authorities, chain: own }];
}

function detailsOf(certificate: Certificate, path: string): CertificateDetails {
  const { serial, extensions, notBeforeMs, notAfterMs } = certificate;
  const { uriNames, dnsNames, ipNames } = extensions;
  return { path, serial, uriSans: uriNames, dnsSans: dnsNames, ipSans: ipNames, notBeforeMs, notAfterMs };
}
