import type { ComponentChildren } from 'preact';
import { CommandLine } from './command-line.tsx';

interface Properties {
  readonly title: string;
  readonly children?: ComponentChildren;
  /** What to type next. */
  readonly commands?: readonly string[];
}

/** Says why there is nothing to see, and what to type next. */
export function EmptyState({ title, children, commands = [] }: Properties) {
  return (
    <div class="empty">
      <svg class="empty-loom" viewBox="0 0 120 48" aria-hidden="true">
        <path d="M8 4v40M21 4v40M34 4v40M47 4v40M60 4v40M73 4v40M86 4v40M99 4v40M112 4v40" class="warp" />
        <path d="M2 24h12M28 24h12M54 24h12" class="weft" />
      </svg>
      <h2>{title}</h2>
      {children !== undefined && <p>{children}</p>}
      {commands.map((command) => (
        <CommandLine key={command} command={command} />
      ))}
    </div>
  );
}
