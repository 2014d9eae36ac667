import { hrefOf } from '../router/page.ts';

/** For an address that leads nowhere. */
export function NotFoundPage({ path }: { readonly path: string }) {
  return (
    <div class="empty">
      <h1 tabIndex={-1}>There is no such page</h1>
      <p>
        Nothing is at <code>{path}</code>. The <a href={hrefOf({ name: 'services' })}>services</a> are a good
        place to go on from.
      </p>
    </div>
  );
}
