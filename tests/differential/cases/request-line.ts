import type { DifferentialCase } from '../support/case.ts';
import { malformed, passed, refused, request } from '../support/expectations.ts';

/** Rules 1 to 6 of the request line. */
export const requestLineCases: readonly DifferentialCase[] = [
  { name: 'a plain request', rule: 'request line', client: request('GET /'), counters: passed },
  {
    name: 'path and query are kept byte for byte',
    rule: 'headers forwarded byte for byte',
    client: request('GET /a/b?c=d&e%20f'),
    counters: passed,
  },
  { name: 'a method of its own', rule: 'rule 1', client: request('PURGE /x'), counters: passed },
  { name: 'a method that is no token', rule: 'rule 1', client: request('G{T /'), counters: malformed },
  { name: 'two spaces before the target', rule: 'rule 2', client: request('GET  /'), counters: passed },
  { name: 'a tab before the target', rule: 'rule 2', client: request('GET\t/'), counters: passed },
  { name: 'two spaces before the version', rule: 'rule 2', client: request('GET / '), counters: passed },
  {
    name: 'a control character in the target',
    rule: 'rule 3',
    client: request('GET /\u0001'),
    counters: malformed,
  },
  { name: 'DEL in the target', rule: 'rule 3', client: request('GET /\u007f'), counters: malformed },
  {
    name: 'a target longer than the head may be',
    rule: 'rule 3',
    client: request(`GET /${'x'.repeat(61 * 1024)}`),
    counters: { 'http.in.downstream_rq_4xx': 1, 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'HTTP/1.2',
    rule: 'rule 4',
    client: 'GET / HTTP/1.2\r\nHost: a\r\n\r\n',
    counters: { 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'HTTP/2.0 in a request line',
    rule: 'rule 4',
    client: 'GET / HTTP/2.0\r\nHost: a\r\n\r\n',
    counters: { 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'a version in small letters',
    rule: 'rule 4',
    client: 'GET / http/1.1\r\nHost: a\r\n\r\n',
    counters: malformed,
  },
  {
    name: 'no version',
    rule: 'rule 4',
    client: 'GET /\r\nHost: a\r\n\r\n',
    counters: { 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'an empty line before the request',
    rule: 'rule 5',
    client: `\r\n${request('GET /')}`,
    counters: passed,
  },
  {
    name: 'an absolute target replaces Host',
    rule: 'rule 6',
    client: request('GET http://other.example/x'),
    counters: passed,
  },
  {
    name: 'an absolute target without a path',
    rule: 'rule 6',
    client: request('GET http://other.example'),
    counters: passed,
  },
  {
    name: 'an absolute target with a query and no path',
    rule: 'rule 6',
    client: request('GET http://other.example?x=y'),
    counters: { 'http.in.downstream_rq_4xx': 1, 'http.in.downstream_rq_non_relative_path': 1 },
  },
  {
    name: 'an absolute target with https over plain text',
    rule: 'rule 6',
    client: request('GET https://other.example/x'),
    counters: { 'http.in.downstream_rq_total': 1 },
  },
  {
    name: 'an absolute target with userinfo',
    rule: 'rule 6',
    client: request('GET http://u:p@other.example/x'),
    counters: passed,
  },
  {
    name: 'an absolute target where they are off',
    rule: 'allow_absolute_url',
    setup: 'absolute-url-off',
    client: request('GET http://other.example/x'),
    counters: { 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'OPTIONS for the server as a whole',
    rule: 'rule 6',
    client: request('OPTIONS *'),
    counters: { 'http.in.downstream_rq_total': 1 },
  },
  {
    name: 'the asterisk with GET',
    rule: 'rule 6',
    client: request('GET *'),
    counters: { 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'a target without a slash',
    rule: 'rule 6',
    client: request('GET x'),
    counters: { 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'an authority target without CONNECT',
    rule: 'rule 6',
    client: request('GET a:80'),
    counters: { 'cluster.be.upstream_rq_total': 0 },
  },
  {
    name: 'a CONNECT that no route takes',
    rule: 'CONNECT',
    client: request('CONNECT a:80', 'Host: a:80\r\n'),
    counters: refused,
  },
  {
    name: 'a fragment in the target',
    rule: 'path normalisation 1',
    client: request('GET /a#b'),
    counters: { 'http.in.downstream_rq_total': 1, 'cluster.be.upstream_rq_total': 0 },
  },
];
