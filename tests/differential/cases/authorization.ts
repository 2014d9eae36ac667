import type { SetupName } from '../setups.ts';
import type { DifferentialCase, Step } from '../support/case.ts';
import { malformed, passed, request } from '../support/expectations.ts';

const allowed = { ...passed, 'http.in.rbac.allowed': 1, 'http.in.rbac.denied': 0 } as const;
const denied = {
  'http.in.downstream_rq_4xx': 1,
  'http.in.rq_total': 0,
  'http.in.rbac.allowed': 0,
  'http.in.rbac.denied': 1,
  'cluster.be.upstream_rq_total': 0,
} as const;

const client = 'spiffe://cluster.local/ns/default/sa/client';
const spoofed = `X-Forwarded-Client-Cert: By=spiffe://b;Hash=abc;Subject="CN=client";URI=${client}\r\n`;

type Counters = DifferentialCase['counters'];
type Certificate = NonNullable<DifferentialCase['tls']>['certificate'] | 'none';

/** A request by TLS, with one of the clients' certificates or none. */
function by(certificate: Certificate, line: string, counters: Counters, fields = ''): DifferentialCase {
  return {
    name: `${line} by ${certificate}${fields === '' ? '' : ' with a forged X-Forwarded-Client-Cert'}`,
    rule: 'authenticated',
    setup: 'rbac-names',
    client: request(line, `Host: a\r\nContent-Length: 0\r\n${fields}`),
    tls: certificate === 'none' || certificate === undefined ? {} : { certificate },
    upstream: { text: `HTTP/1.1 200 OK\r\nx-upstream: yes\r\ncontent-length: 0\r\n\r\n` },
    counters,
  };
}

/** A path that must not get round the policies on /admin and /secret, or that they are not about. */
function onPath(setup: SetupName, path: string, counters: Counters, line = `GET ${path}`): DifferentialCase {
  return { name: `policies on ${path}`, rule: 'url_path', setup, client: request(line), counters };
}

function withFields(name: string, fields: string, counters: Counters): DifferentialCase {
  const needed = /x-needed/i.test(fields) ? '' : 'X-Needed: yes\r\n';
  return {
    name: `policies and ${name}`,
    rule: 'header',
    setup: 'rbac-headers',
    client: request('GET /', `Host: a\r\n${needed}${fields}`),
    counters,
  };
}

function toHost(name: string, line: string, host: string, counters: Counters): DifferentialCase {
  return {
    name: `policies on hosts: ${name}`,
    rule: ':authority',
    setup: 'rbac-hosts',
    client: request(line, `Host: ${host}\r\n`),
    counters,
  };
}

function withMethod(line: string, counters: Counters, fields = '', body = ''): DifferentialCase {
  return {
    name: `policies on methods: ${line}${fields === '' ? '' : `, ${fields.trim()}`}`,
    rule: ':method',
    setup: 'rbac-methods',
    client: request(line, `Host: a\r\n${fields}`, body),
    counters,
  };
}

function from(path: string, fields: string, counters: Counters): DifferentialCase {
  return {
    name: `policies on addresses: ${path}${fields === '' ? '' : `, ${fields.trim()}`}`,
    rule: 'remote_ip',
    setup: 'rbac-addresses',
    client: request(`GET ${path}`, `Host: a\r\n${fields}`),
    counters,
  };
}

function atLevel(path: string, counters: Counters): DifferentialCase {
  return {
    name: `policies by level: ${path}`,
    rule: 'typed_per_filter_config',
    setup: 'rbac-levels',
    client: request(`GET ${path}`),
    counters: {
      'http.in.rbac.own.allowed': 0,
      'http.in.rbac.own.denied': 0,
      ...counters,
    },
  };
}

function simple(setup: SetupName, path: string, counters: Counters): DifferentialCase {
  return { name: `${setup}: ${path}`, rule: 'rbac', setup, client: request(`GET ${path}`), counters };
}

function toServerName(setup: SetupName, serverName: string, counters: Counters): DifferentialCase {
  return {
    name: `${setup}: ${serverName}`,
    rule: 'requested_server_name',
    setup,
    client: request('GET /'),
    tls: { serverName },
    counters,
  };
}

/** A byte stream by one of the clients, or by nobody. */
function connection(certificate: Certificate, counters: Counters): DifferentialCase {
  const isAllowed = certificate === 'client';
  return {
    name: `policies on connections: ${certificate}`,
    rule: 'envoy.filters.network.rbac',
    setup: 'rbac-connections',
    client: [{ send: 'hello' }, isAllowed ? { text: 'hello' } : { closed: true }],
    tls: certificate === 'none' || certificate === undefined ? {} : { certificate },
    raw: true,
    counters,
  };
}

const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
function tunnel(name: string, client: string | readonly Step[], counters: Counters): DifferentialCase {
  return { name: `policies and ${name}`, rule: 'upgrade_configs', setup: 'rbac-upgrades', client, counters };
}

/** What a normalising listener takes for /admin or /secret. */
const aboutAdmin = [
  ...['/admin', '/admin/x', '/admin?x', '/administrator', '//admin', '/./admin', '/x/../admin', '/%61dmin'],
  ...['/x/%2e%2e/admin', '/admin%2fx', '/admin;a=b', '/..;/admin', '/public/..;/admin', '/secret?x'],
];
/** The upstream gets these as they are, and must not take them for /admin or /secret either. */
const notAboutAdmin = [
  ...['/public', '/ADMIN', '/x?/admin', '/secret/', '/secret;a=b', '/secret%2f', '/x/..%2fadmin'],
  '/admin/..;/public',
];

/** Who may do what: envoy.filters.http.rbac. */
export const authorizationCases: readonly DifferentialCase[] = [
  by('client', 'GET /', allowed),
  by('client', 'POST /', denied),
  by('other', 'GET /', denied),
  by('none', 'GET /', denied),
  by('other', 'GET /', denied, spoofed),
  by('none', 'GET /', denied, spoofed),
  by('client', 'PUT /', allowed),
  by('other', 'PUT /', denied),
  by('dns', 'PUT /', allowed),
  by('subject', 'PUT /', allowed),
  by('none', 'PUT /', denied),
  by('other', 'HEAD /', allowed),
  by('none', 'HEAD /', allowed),
  by('none', 'OPTIONS /', allowed),
  by('other', 'OPTIONS /', denied),
  {
    name: 'nobody is authenticated without TLS',
    rule: 'authenticated',
    setup: 'rbac-names-plain',
    client: request('GET /', `Host: a\r\n${spoofed}`),
    counters: denied,
  },

  ...aboutAdmin.map((path) => onPath('rbac-paths', path, denied)),
  ...notAboutAdmin.map((path) => onPath('rbac-paths', path, allowed)),
  onPath('rbac-paths', 'http://a/admin', denied),
  onPath('rbac-paths', '\\admin', { 'cluster.be.upstream_rq_total': 0 }),
  onPath('rbac-paths', '/admin#x', { 'cluster.be.upstream_rq_total': 0 }),
  onPath('rbac-paths', '/%00/admin', { 'cluster.be.upstream_rq_total': 0 }),
  ...['//admin/raw', '/x/../admin/raw', '/%61dmin/raw', '/x/..%2fadmin/raw'].map((path) =>
    onPath('rbac-paths-raw', path, allowed),
  ),
  ...['/x/..%2fadmin/unescaped', '/x%2f..%5cadmin', '/admin%2Fx/unescaped'].map((path) =>
    onPath('rbac-paths-unescaped', path, denied),
  ),
  onPath('rbac-rewritten', '/public/rewritten', allowed),
  onPath('rbac-rewritten', '/admin/rewritten', denied),

  withFields('no header that they name', '', allowed),
  withFields('a header', 'X-Role: admin\r\n', denied),
  withFields('a header with another value', 'X-Role: user\r\n', allowed),
  withFields('a header twice, the second time so', 'X-Role: user\r\nX-Role: admin\r\n', denied),
  withFields('a header twice, the first time so', 'X-Role: admin\r\nX-Role: user\r\n', denied),
  withFields('a header with a list', 'X-Role: admin, user\r\n', allowed),
  withFields('a header in capitals', 'X-ROLE: admin\r\n', denied),
  withFields('a value in capitals', 'X-Role: ADMIN\r\n', allowed),
  withFields('a header with spaces', 'X-Role: \t admin \t\r\n', denied),
  withFields('a header that Connection nominates', 'X-Role: admin\r\nConnection: x-role\r\n', allowed),
  withFields('a header that they ask for, nominated', 'X-Needed: yes\r\nConnection: x-needed\r\n', denied),
  withFields('a number', 'X-Number: 4\r\n', denied),
  withFields('a number twice', 'X-Number: 9\r\nX-Number: 4\r\n', denied),
  withFields('a number that is none', 'X-Number: 4x\r\n', allowed),
  withFields('an inverted header twice', 'X-Kind: b\r\nX-Kind: a\r\n', allowed),
  withFields('an inverted header', 'X-Kind: b\r\n', denied),
  withFields('a certificate that nobody showed', spoofed, allowed),

  toHost('another', 'GET /', 'a', allowed),
  toHost('this one', 'GET /', 'internal.example', denied),
  toHost('in capitals', 'GET /', 'INTERNAL.example', denied),
  toHost('in the target', 'GET http://internal.example/', 'a', denied),
  toHost('in Host, another in the target', 'GET http://a/', 'internal.example', allowed),
  toHost('with a port', 'GET /', 'internal.example:80', allowed),
  toHost('with a dot', 'GET /', 'internal.example.', allowed),

  withMethod('GET /', allowed),
  withMethod('POST /', denied, 'Content-Length: 0\r\n'),
  withMethod('HEAD /', denied),
  withMethod('GET /', allowed, 'X-HTTP-Method-Override: DELETE\r\n'),
  withMethod('POST /', denied, 'Content-Length: 0\r\nX-HTTP-Method-Override: GET\r\n'),
  withMethod('POST /', malformed, 'Content-Length: 0\r\n:method: GET\r\n'),

  from('/remote', '', allowed),
  from('/remote', 'X-Forwarded-For: 10.1.2.3\r\n', denied),
  from('/remote', 'X-Forwarded-For: 10.1.2.3, 203.0.113.7\r\n', allowed),
  from('/direct', 'X-Forwarded-For: 10.1.2.3\r\n', allowed),
  from('/source', 'X-Forwarded-For: 203.0.113.7\r\n', denied),
  from('/destination', '', denied),
  from('/port', '', denied),

  atLevel('/host', { 'http.in.rbac.own.allowed': 1, 'http.in.rbac.own.policy.allow all.allowed': 1 }),
  atLevel('/off', {}),
  atLevel('/empty', {}),
  atLevel('/denied', { 'http.in.rbac.own.denied': 1, 'http.in.rbac.own.policy.deny all.denied': 1 }),
  atLevel('/disabled', {}),
  atLevel('/wrapped', { 'http.in.rbac.own.denied': 1 }),
  atLevel('/stranger', { 'http.in.rbac.own.allowed': 1 }),
  atLevel('/cluster', { 'http.in.rbac.own.denied': 1, 'cluster.be.upstream_rq_total': 0 }),
  simple('rbac-off-by-itself', '/off', { ...passed, 'http.in.rbac.denied': 0, 'http.in.rbac.allowed': 0 }),
  simple('rbac-off-by-itself', '/on', denied),
  simple('rbac-two', '/first', denied),
  simple('rbac-two', '/second', { ...passed, 'http.in.rbac.allowed': 2 }),
  simple('rbac-two', '/second/off', { 'http.in.rbac.allowed': 1, 'http.in.rbac.denied': 1 }),
  simple('rbac-two', '/third', { 'http.in.rbac.allowed': 1, 'http.in.rbac.denied': 1 }),
  simple('rbac-nobody', '/', denied),
  ...['/', '/admin'].map((path) => {
    const isAdmin = path === '/admin';
    return simple('rbac-shadow', path, {
      ...passed,
      'http.in.rbac.log_.allowed': 1,
      'http.in.rbac.log_.policy.log it.allowed': 1,
      'http.in.rbac.dry.shadow_allowed': isAdmin ? 0 : 1,
      'http.in.rbac.dry.shadow_denied': isAdmin ? 1 : 0,
      'http.in.rbac.dry.policy.dry run.shadow_denied': isAdmin ? 1 : 0,
    });
  }),

  toServerName('rbac-server-name', 'a.example', denied),
  toServerName('rbac-server-name', 'b.example', denied),
  toServerName('rbac-server-name-inspected', 'a.example', allowed),
  toServerName('rbac-server-name-inspected', 'A.Example', allowed),
  toServerName('rbac-server-name-inspected', 'b.example', denied),
  connection('client', { 'door.rbac.allowed': 1, 'door.rbac.denied': 0, 'door.rbac.dry_.shadow_denied': 1 }),
  ...(['other', 'dns', 'none'] as const).map((name) =>
    connection(name, { 'door.rbac.allowed': 0, 'door.rbac.denied': 1, 'door.rbac.dry_.shadow_denied': 1 }),
  ),

  tunnel('an upgrade that they deny', request('GET /', `Host: a\r\nX-Deny: yes\r\n${upgrade}`), {
    'http.in.rbac.denied': 1,
    'http.in.downstream_cx_upgrades_total': 1,
    'cluster.be.upstream_rq_total': 0,
  }),
  tunnel(
    'an upgrade that no route takes',
    request('GET /', 'Host: a\r\nX-Deny: yes\r\nConnection: Upgrade\r\nUpgrade: other\r\n'),
    { 'http.in.rbac.denied': 0, 'http.in.downstream_rq_ws_on_non_ws_route': 1 },
  ),
  tunnel(
    'CONNECT, which has no path',
    [{ send: request('CONNECT a:80', 'Host: a:80\r\nX-Deny: yes\r\n') }, { responses: 1 }],
    { 'http.in.rbac.allowed': 1, 'http.in.rbac.denied': 0 },
  ),
];
