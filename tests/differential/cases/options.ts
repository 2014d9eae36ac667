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

function rewritten(name: string, path: string, fields: string): DifferentialCase {
  return {
    name,
    rule: 'host rewrite',
    setup: 'auto-host',
    client: request(`GET ${path}`, fields),
    counters: passed,
  };
}

/** Options of the HTTP connection manager and of routes that most listeners leave alone. */
export const optionCases: readonly DifferentialCase[] = [
  withMethod('a method that nobody has defined', 'FOO', passed),
  withMethod('a method in small letters', 'get', passed),
  withMethod('a method of unusual characters', "A!#$%&'*+-.^_`|~", passed),
  withMethod('a method that is no token where every method is taken', 'F{O', malformed),
  rewritten('the Host is the endpoint’s name', '/', 'Host: a\r\n'),
  rewritten('the Host is the endpoint’s name already', '/', 'Host: real.example\r\n'),
  rewritten('X-Forwarded-Host ends with the host already', '/', 'Host: a\r\nX-Forwarded-Host: z,a\r\n'),
  rewritten('X-Forwarded-Host ends with another host', '/', 'Host: a\r\nX-Forwarded-Host: a,z\r\n'),
  rewritten('the Host is rewritten to what it is', '/plain', 'Host: same\r\n'),
  rewritten('the Host is that of a field', '/header', 'Host: a\r\nX-Host: b\r\n'),
  rewritten(
    'the Host is that of the first of two fields',
    '/header',
    'Host: a\r\nX-Host: b\r\nX-Host: c\r\n',
  ),
  rewritten('the field for the Host is missing', '/header', 'Host: a\r\n'),
  {
    name: 'an endpoint without a name leaves the Host',
    rule: 'host rewrite',
    setup: 'auto-host-unnamed',
    client: request('GET /'),
    counters: passed,
  },
];
