// Callers as policies name them, in the trust domains of the mesh.

/** What policies call the mesh's own trust domain, whatever its name. */
const ownTrustDomain = 'cluster.local';

/**
 * A principal for each of the mesh's trust domains, the first of which is its own, where it names one of them. Others, and
 * those of any trust domain, stay as they are.
 */
export function principalsOf(principal: string, trustDomains: readonly string[]): readonly string[] {
  const [domain = '', ...path] = principal.split('/');
  const isIdentity = path.length === 4 && path[0] === 'ns' && path[2] === 'sa';
  if (!isIdentity || domain === '*') return [principal];
  if (domain !== ownTrustDomain && !trustDomains.some((known) => fits(domain, known))) return [principal];
  const rest = path.join('/');
  return [
    ...new Set(
      // A pattern stays for those whom it fits.
      trustDomains.map((known) =>
        domain.startsWith('*') && fits(domain, known) ? principal : `${known}/${rest}`,
      ),
    ),
  ];
}

function fits(pattern: string, domain: string): boolean {
  if (pattern.startsWith('*')) return domain.endsWith(pattern.slice(1));
  if (pattern.endsWith('*')) return domain.startsWith(pattern.slice(0, -1));
  return pattern === domain;
}
