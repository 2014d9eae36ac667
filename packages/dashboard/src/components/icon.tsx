const PATHS = {
  /** Threads over and under each other. */
  services: 'M5 2v12M11 2v12M2 5h1.5M6.5 5H14M2 11h7.5M12.5 11H14',
  instances: 'M2.5 2.5h5v5h-5zM8.5 8.5h5v5h-5zM10.5 2.5h3v3h-3zM2.5 10.5h3v3h-3z',
  certificates: 'M8 1.8l5 1.9v4c0 3.2-2 5.4-5 6.5-3-1.1-5-3.3-5-6.5v-4zM5.8 8l1.6 1.6 3-3.2',
  configuration: 'M2 4.5h5M11 4.5h3M9 2.8v3.4M2 11.5h2M8 11.5h6M6 9.8v3.4',
  about: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 1 0 8 1.8M8 7.2V11.4M8 4.7v.1',
  system: 'M2 3h12v8H2zM5.5 14h5M8 11v3',
  light:
    'M8 5a3 3 0 1 0 0 6 3 3 0 1 0 0-6M8 1v1.3M8 13.7V15M1 8h1.3M13.7 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  dark: 'M13.5 9.6A6 6 0 0 1 6.4 2.5a6 6 0 1 0 7.1 7.1z',
  leave: 'M6.5 2.5h-4v11h4M10 5l3 3-3 3M13 8H6',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  done: 'M3 8.5l3.2 3.2L13 4.8',
  more: 'M6 3.5L10.5 8 6 12.5',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 1 0 0-9M10.3 10.3l3.2 3.2',
  warning: 'M8 2.2l6.2 11H1.8zM8 6.5v3M8 11.3v.1',
} as const;

export type IconName = keyof typeof PATHS;

/** A line drawing of 16 units; says nothing to screen readers, so a text has to stand beside it. */
export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
