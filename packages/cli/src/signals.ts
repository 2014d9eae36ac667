import { type Clock, systemClock } from '@heddle/base';

const signalNames = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * A second signal this soon is the first one again: Ctrl-C reaches every process of the terminal, and npm passes on to
 * us what we have already got.
 */
const sameSignalMs = 500;

/** Requests to end, as signals bring them. */
export interface EndRequests {
  /** Aborted by the first signal; its reason is the signal's name. */
  readonly signal: AbortSignal;
  /** Aborted by the second. */
  readonly force: AbortSignal;
  /** Asks for the end as a SIGTERM would. */
  request(): void;
  /** Gives signals their ordinary effect back. */
  release(): void;
}

/** Where signals come from: this process, or a test. */
interface SignalSource {
  on(name: NodeJS.Signals, listener: (name: NodeJS.Signals) => void): unknown;
  off(name: NodeJS.Signals, listener: (name: NodeJS.Signals) => void): unknown;
}

/** Takes SIGINT, SIGTERM and SIGHUP as requests to end: the first in order, the second at once. */
export function listenForEnd(clock: Clock = systemClock, source: SignalSource = process): EndRequests {
  const first = new AbortController();
  const second = new AbortController();
  let firstAt = 0;
  const onSignal = (name: NodeJS.Signals): void => {
    if (!first.signal.aborted) {
      firstAt = clock.monotonic();
      first.abort(name);
    } else if (clock.monotonic() - firstAt >= sameSignalMs) {
      second.abort(name);
    }
  };
  for (const name of signalNames) source.on(name, onSignal);
  return {
    signal: first.signal,
    force: second.signal,
    request: () => onSignal('SIGTERM'),
    release: () => {
      for (const name of signalNames) source.off(name, onSignal);
    },
  };
}

/** Calls back for every SIGUSR2, which asks for the program to be started again beside its old self; returns what ends that. */
export function listenForUpgrade(listener: () => void, source: SignalSource = process): () => void {
  source.on('SIGUSR2', listener);
  return () => source.off('SIGUSR2', listener);
}
