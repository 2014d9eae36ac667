import { useEffect } from 'preact/hooks';
import type { Poller } from './poller.ts';

/** Keeps something asked for while the component is shown; returns the last answer, null before the first. */
export function usePolled<T>(poller: Poller<T>): T | null {
  useEffect(() => poller.look(), [poller]);
  return poller.value.value;
}
