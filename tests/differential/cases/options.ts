import type { DifferentialCase } from '../support/case.ts';
import { malformed, passed, request } from '../support/expectations.ts';

function withMethod(name: string, method: string, counters: DifferentialCase['counters']): DifferentialCase {
  return {
    name,
    rule: 'allow_custom_methods',
    setup: 'custom-methods',
    client: request(`${method} /x`, 'Host: a\r\nContent-Length: 3\r\n', 'abc'),
    counters,
  };
}

/** Options of the HTTP connection manager and of routes that most listeners leave alone. */
export const optionCases: readonly DifferentialCase[] = [
  withMethod('a method that nobody has defined', 'FOO', passed),
  withMethod('a method in small letters', 'get', passed),
  withMethod('a method of unusual characters', "A!#$%&'*+-.^_`|~", passed),
  withMethod('a method that is no token where every method is taken', 'F{O', malformed),
];
