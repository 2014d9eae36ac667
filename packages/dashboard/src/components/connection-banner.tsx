import { formatClockTime, formatDuration } from '../format/time.ts';
import { connection, nowMs } from '../state/app-state.ts';
import { Icon } from './icon.tsx';

/** Says that the control plane does not answer, since when, and when the next attempt is made. Nothing while it does. */
export function ConnectionBanner() {
  const state = connection.state.value;
  return (
    <div role="status" class="banner-place">
      {state.name === 'lost' && (
        <div class="banner">
          <Icon name="warning" size={18} />
          <p>
            <strong>The control plane does not answer.</strong> What you see is as of{' '}
            {formatClockTime(state.sinceMs)}. Sidecars keep serving without it.
          </p>
          <span class="banner-retry" aria-hidden="true">
            {state.retryAtMs > nowMs.value
              ? `Next try in ${formatDuration(state.retryAtMs - nowMs.value + 999)}`
              : 'Trying …'}
          </span>
          <button type="button" class="button" onClick={() => void connection.tryNow()}>
            Try now
          </button>
        </div>
      )}
    </div>
  );
}
