import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { CommandLine } from '../components/command-line.tsx';
import { ConnectionBanner } from '../components/connection-banner.tsx';
import { Icon } from '../components/icon.tsx';
import { Logo } from '../components/logo.tsx';
import { logIn } from '../state/app-state.ts';

/** Asks for the token that `heddle up` prints. */
export function LoginPage({ notice }: { readonly notice: string }) {
  const token = useSignal('');
  const problem = useSignal(notice);
  const isBusy = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = 'Log in · Heddle';
    field.current?.focus();
  }, []);
  const submit = async (): Promise<void> => {
    const text = token.peek().trim();
    if (text === '' || isBusy.peek()) return;
    isBusy.value = true;
    problem.value = '';
    const failure = await logIn(text);
    isBusy.value = false;
    if (failure === null) return;
    problem.value = failure;
    field.current?.select();
  };
  return (
    <main class="login">
      <ConnectionBanner />
      <form
        class="login-box"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Logo size={52} />
        <h1>Heddle</h1>
        <p class="login-lead">
          Log in to the mesh at <span class="mono">{window.location.host}</span>.
        </p>
        <label for="token">Dashboard token</label>
        <div class="login-line">
          <input
            id="token"
            ref={field}
            type="password"
            autocomplete="current-password"
            spellcheck={false}
            required
            value={token.value}
            aria-describedby="login-problem"
            aria-invalid={problem.value !== ''}
            onInput={(event) => {
              token.value = event.currentTarget.value;
            }}
          />
          <button type="submit" class="button primary" disabled={isBusy.value}>
            {isBusy.value ? 'Checking …' : 'Log in'}
          </button>
        </div>
        <p id="login-problem" class="login-problem" role="alert">
          {problem.value !== '' && (
            <>
              <Icon name="warning" /> {problem.value}
            </>
          )}
        </p>
        <div class="login-help">
          <p>
            <code>heddle up</code> and <code>heddle demo</code> print it when they start, with a link that
            logs in by itself. For another one, type
          </p>
          <CommandLine command="heddle token create --kind dashboard" />
        </div>
      </form>
    </main>
  );
}
