import { computed, signal } from '@preact/signals';
import { hrefOf, parseLocation, tokenInFragment } from './page.ts';

const hash = signal(window.location.hash);

/** What the address asks for. */
export const location = computed(() => parseLocation(hash.value));

/** Follows the address. A token in it is taken out of the address bar and the history, and handed to `onToken`. */
export function followAddress(onToken: (token: string) => void): void {
  const read = (): void => {
    const token = tokenInFragment(window.location.hash);
    if (token !== null) {
      window.history.replaceState(null, '', '#/services');
      onToken(token);
    }
    hash.value = window.location.hash;
  };
  window.addEventListener('hashchange', read);
  read();
}

/** Changes the filter of the list on the screen, without a new entry in the tab's history. */
export function setFilter(filter: string): void {
  window.history.replaceState(null, '', hrefOf(location.peek().page, filter));
  hash.value = window.location.hash;
}
