/** A SPIFFE id taken apart for reading. */
export interface IdentityParts {
  readonly trustDomain: string;
  /** Empty where the id has none. */
  readonly namespace: string;
  /** The service account, or the whole path where the id has another form. */
  readonly account: string;
}

/** Reads `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`; null for what is not a SPIFFE id. */
export function parseIdentity(identity: string): IdentityParts | null {
  const match = /^spiffe:\/\/([^/]+)(\/.*)?$/.exec(identity);
  if (match === null) return null;
  const [, trustDomain = '', path = ''] = match;
  const workload = /^\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(path);
  return workload === null
    ? { trustDomain, namespace: '', account: path.replace(/^\//, '') }
    : { trustDomain, namespace: workload[1] ?? '', account: workload[2] ?? '' };
}
