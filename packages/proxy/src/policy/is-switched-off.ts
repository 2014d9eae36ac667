// Hot path.
import type { RouteMatch } from '../routing/route-match.ts';

/** Whether a filter that has nothing but a name to tell from others is not there for requests of this route. */
export function isSwitchedOff(
  { name, isDisabled }: { readonly name: string; readonly isDisabled: boolean },
  route: RouteMatch<unknown> | null,
): boolean {
  return isDisabled || route?.filters?.get(name)?.kind === 'disabled';
}
