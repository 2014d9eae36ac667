import type { DifferentialCase } from '../support/case.ts';
import { passed, refused, request } from '../support/expectations.ts';

const fields = (lines: string): string => request('GET /', `Host: a\r\n${lines}`);

function sampled(name: string, id: string): DifferentialCase {
  return {
    name: `a sample decided by ${name}`,
    rule: 'runtime_filter',
    setup: 'logs-sampled',
    client: fields(`X-Request-Id: ${id}\r\n`),
    counters: passed,
  };
}

/** Which requests access logs tell of. */
export const accessLogCases: readonly DifferentialCase[] = [
  { name: 'a logged request', rule: 'filter', setup: 'logs', client: fields(''), counters: passed },
  {
    name: 'a logged request with a header',
    rule: 'header_filter',
    setup: 'logs',
    client: fields('X-Log: no\r\nX-Log: yes\r\n'),
    counters: passed,
  },
  {
    name: 'a logged request that fails',
    rule: 'response_flag_filter',
    setup: 'logs',
    client: request('GET /nowhere', 'Host: a\r\nX-Log: yes\r\n'),
    counters: { 'http.in.no_cluster': 1, 'http.in.downstream_rq_5xx': 1 },
  },
  {
    name: 'a logged request that is none',
    rule: 'header_filter',
    setup: 'logs',
    client: request('GET /', 'Host: a\r\nBad Name: x\r\nX-Log: yes\r\n'),
    counters: { 'http.in.downstream_rq_4xx': refused['http.in.downstream_rq_4xx'] },
  },
  sampled('an id of zeros', '00000000-0000-4000-8000-000000000000'),
  sampled('an id at the end of the sample', '00000031-0000-4000-8000-000000000000'),
  sampled('an id behind the sample', '00000032-0000-4000-8000-000000000000'),
  sampled('an id of capitals', 'ABCDEF01-0000-4000-8000-000000000000'),
  sampled('an id that is no UUID', '000f4240x'),
];
