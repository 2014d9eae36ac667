import { useSignal } from '@preact/signals';
import { browserClock } from '../platform/clock.ts';
import { Icon } from './icon.tsx';

/** A command to type, with a button that copies it. */
export function CommandLine({ command }: { readonly command: string }) {
  const isCopied = useSignal(false);
  const words = command.split(' ');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(command);
    } catch {
      return;
    }
    isCopied.value = true;
    browserClock.wait(1500, () => {
      isCopied.value = false;
    });
  };
  return (
    <span class="command">
      <code>
        <span class="command-prompt" aria-hidden="true">
          ${' '}
        </span>
        {words.map((word, index) => (
          // A word that starts with dashes would be broken after them.
          <span key={index}>
            {index > 0 && ' '}
            <span class="command-word">{word}</span>
          </span>
        ))}
      </code>
      <button
        type="button"
        class="command-copy"
        aria-label={`Copy the command ${command}`}
        onClick={() => void copy()}
      >
        <Icon name={isCopied.value ? 'done' : 'copy'} size={14} />
      </button>
      <span class="visually-hidden" role="status">
        {isCopied.value ? 'Copied' : ''}
      </span>
    </span>
  );
}
