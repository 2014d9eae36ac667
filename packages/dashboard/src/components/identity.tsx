import { parseIdentity } from '../format/identity.ts';

/** A SPIFFE id in which the parts that tell one from another stand out; the whole of it can be selected and copied. */
export function Identity({ identity }: { readonly identity: string }) {
  const parts = parseIdentity(identity);
  if (parts === null || parts.namespace === '') return <span class="identity">{identity}</span>;
  return (
    <span class="identity" title={identity}>
      <span class="identity-scheme">spiffe://</span>
      {parts.trustDomain}
      <wbr />
      <span class="identity-part">/ns/</span>
      <b>{parts.namespace}</b>
      <wbr />
      <span class="identity-part">/sa/</span>
      <b>{parts.account}</b>
    </span>
  );
}
