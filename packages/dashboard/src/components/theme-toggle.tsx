import { theme, type Theme } from '../state/theme.ts';
import { Icon } from './icon.tsx';

const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
const LABEL: Readonly<Record<Theme, string>> = {
  system: 'System colours',
  light: 'Light colours',
  dark: 'Dark colours',
};

/** Goes through the colours: the system's, light, dark. */
export function ThemeToggle() {
  const current = theme.value;
  return (
    <button
      type="button"
      class="tool"
      title={`${LABEL[current]}; press for ${LABEL[NEXT[current]].toLowerCase()}`}
      onClick={() => {
        theme.value = NEXT[theme.peek()];
      }}
    >
      <Icon name={current} />
      <span class="tool-label">{LABEL[current]}</span>
    </button>
  );
}
