import type { ApiFailure } from '../api/client.ts';

/** Says why a list could not be had. The connection's own banner speaks where nobody answered. */
export function FailureNote({ failure }: { readonly failure: ApiFailure | null }) {
  if (failure?.kind !== 'refused') return null;
  return (
    <div class="note bad" role="alert">
      <p>
        <strong>{failure.message}</strong> {failure.hint}
      </p>
      {failure.code !== '' && <code>{failure.code}</code>}
    </div>
  );
}
