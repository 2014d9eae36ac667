import type { ComponentChildren } from 'preact';
import { CommandLine } from './command-line.tsx';

interface Properties {
  readonly title: ComponentChildren;
  /** The way up, before the title. */
  readonly above?: ComponentChildren;
  /** A line under the title. */
  readonly summary?: ComponentChildren;
  /** The command that shows the same. */
  readonly command: string;
}

/** The head of a page: what it is, in numbers, and as a command. */
export function PageHeader({ title, above, summary, command }: Properties) {
  return (
    <div class="page-head">
      <div class="page-title">
        {above !== undefined && <p class="above">{above}</p>}
        <h1 tabIndex={-1}>{title}</h1>
        {summary !== undefined && <p class="summary">{summary}</p>}
      </div>
      <CommandLine command={command} />
    </div>
  );
}
