import { location, setFilter } from '../router/router.ts';
import { Icon } from './icon.tsx';

/** The text that the list on the screen is filtered by; it is part of the address. */
export function FilterBox({ label }: { readonly label: string }) {
  return (
    <label class="filter">
      <Icon name="search" />
      <span class="visually-hidden">{label}</span>
      <input
        type="search"
        placeholder={label}
        value={location.value.filter}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => {
          setFilter(event.currentTarget.value);
        }}
      />
    </label>
  );
}
