// On real sockets: ways round a policy. Each row is one request and what becomes of it; who gets through where it must not
// has said something of itself that the policy believed, or has written a path, host or method in another way.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import { socketAddress, typed } from '../../listener/test-proxy.ts';
import { type World, socketWorld } from '../../listener/test-worlds.ts';

const root = makeRoot('cluster.local');
const stranger = makeRoot('cluster.local');
const id = (name: string): string => `spiffe://cluster.local/ns/default/sa/${name}`;
const client = id('client');

interface Shown {
  readonly pem: string;
  readonly keyPem: string;
}

const any = { any: true };
const policy = (permission: object, principal: object = any): object => ({
  permissions: [permission],
  principals: [principal],
});

/** A listener that answers 200 to whom this RBAC configuration lets through. */
async function guard(
  t: TestContext,
  rules: object,
  options: { readonly manager?: object; readonly isSecured?: boolean } = {},
): Promise<World> {
  const own = makeLeaf(root, id('server'));
  const manager = typed('filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'http',
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: 'UNESCAPE_AND_FORWARD',
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, direct_response: { status: 200 } }],
        },
      ],
    },
    http_filters: [
      { name: 'rbac', typed_config: typed('filters.http.rbac.v3.RBAC', { rules }) },
      { name: 'router', typed_config: typed('filters.http.router.v3.Router') },
    ],
    ...options.manager,
  });
  const security = {
    transport_socket: {
      name: 'envoy.transport_sockets.tls',
      typed_config: typed('transport_sockets.tls.v3.DownstreamTlsContext', {
        common_tls_context: {
          tls_certificates: [
            { certificate_chain: { inline_string: own.pem }, private_key: { inline_string: own.keyPem } },
          ],
          validation_context: { trusted_ca: { inline_string: root.pem } },
        },
      }),
    },
  };
  const world = socketWorld(t);
  await world.proxy.load({
    listeners: [
      {
        name: 'l',
        address: socketAddress('127.0.0.1', 0),
        filter_chains: [
          {
            filters: [{ name: 'hcm', typed_config: manager }],
            ...(options.isSecured === true ? security : {}),
          },
        ],
      },
    ],
  });
  return world;
}

/** The statuses that come back before the connection ends; `shown` is null for TLS without a certificate, absent for none. */
async function statuses(world: World, bytes: string, shown?: Shown | null): Promise<string> {
  const port = world.proxy.port('l');
  const socket =
    shown === undefined
      ? connect(port, '127.0.0.1')
      : connectTls({
          port,
          host: '127.0.0.1',
          ca: root.pem,
          checkServerIdentity: () => undefined,
          ...(shown === null ? {} : { cert: shown.pem, key: shown.keyPem }),
        });
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.write(bytes, 'latin1');
  await new Promise((resolve) => {
    socket.once('close', resolve);
  });
  return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]).join(' ');
}

const request = (line: string, fields = '', host = 'a'): string =>
  `${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${fields}\r\n`;

describe('somebody else', () => {
  const xfcc = `X-Forwarded-Client-Cert: By=${id('server')};Hash=00;Subject="CN=client";URI=${client}\r\n`;
  const fields: readonly (readonly [string, string])[] = [
    ['says so in X-Forwarded-Client-Cert', xfcc],
    ['says so twice', xfcc + xfcc],
    ['says so with an underscore', xfcc.replaceAll('-', '_')],
    [
      'says so in fields of other proxies',
      `X-Client-Id: ${client}\r\nX-SPIFFE-Id: ${client}\r\nForwarded: for=${client}\r\n`,
    ],
  ];
  const allowed = { policies: { p: policy(any, { authenticated: { principal_name: { exact: client } } }) } };

  for (const mode of ['SANITIZE', 'SANITIZE_SET', 'APPEND_FORWARD', 'ALWAYS_FORWARD_ONLY']) {
    test(`is not taken for the client, whatever they say, with ${mode}`, async (t) => {
      const manager = { forward_client_cert_details: mode, set_current_client_cert_details: { uri: true } };
      const world = await guard(t, allowed, { manager, isSecured: true });
      const other = makeLeaf(root, id('other'));
      for (const [name, lines] of fields) {
        assert.equal(await statuses(world, request('GET /', lines), other), '403', name);
        assert.equal(await statuses(world, request('GET /', lines), null), '403', name);
      }
      assert.equal(await statuses(world, request('GET /', xfcc), makeLeaf(root, client)), '200');
    });
  }

  const certificates: readonly (readonly [string, Shown])[] = [
    ['a longer id', makeLeaf(root, `${client}-admin`)],
    ['an id of other letters', makeLeaf(root, client.replace('default', 'Default'))],
    ['an id below the client’s', makeLeaf(root, `${client}/x`)],
  ];
  for (const [name, shown] of certificates) {
    test(`shows ${name}`, async (t) => {
      const world = await guard(t, allowed, { isSecured: true });
      assert.equal(await statuses(world, request('GET /'), shown), '403');
    });
  }

  test('has the id from an authority that nobody trusts', async (t) => {
    const world = await guard(t, allowed, { isSecured: true });
    assert.equal(await statuses(world, request('GET /'), makeLeaf(stranger, client)), '');
  });

  test('comes without TLS', async (t) => {
    const everybody = {
      or_ids: { ids: [{ authenticated: {} }, { authenticated: { principal_name: { prefix: 's' } } }] },
    };
    const world = await guard(t, { policies: { p: policy(any, everybody) } });
    assert.equal(await statuses(world, request('GET /', xfcc)), '403');
  });

  test('sends a second request behind one that is allowed', async (t) => {
    const permission = { url_path: { path: { exact: '/public' } } };
    const world = await guard(t, { policies: { p: policy(permission) } });
    const first = 'GET /public HTTP/1.1\r\nHost: a\r\n\r\n';
    assert.equal(await statuses(world, first + request('GET /admin')), '200 403');
    const body = request('GET /admin');
    const chunked = `POST /public HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${body}`;
    assert.equal(await statuses(world, chunked), '400');
  });
});

describe('a path that leads to /admin', () => {
  const rules = { action: 'DENY', policies: { admin: policy({ url_path: { path: { prefix: '/admin' } } }) } };
  const targets = [
    ...[
      '/admin',
      '/admin?x',
      '//admin',
      '///admin/x',
      '/./admin',
      '/x/../admin',
      '/x/y/../../admin',
      '/%61dmin',
    ],
    ...[
      '/%2e/admin',
      '/x/%2E%2e/admin',
      '/%2fadmin',
      '/x/..%2Fadmin',
      '/x%2f..%2fadmin',
      '/x/..%5cadmin',
      '/\\admin',
    ],
    ...[
      '/x\\..\\admin',
      '/..;/admin',
      '/x/..;a=b/admin',
      '/admin;a=b',
      '/admin%2fx',
      '/../admin',
      '/%zz/../admin',
      '/x/.;/../admin',
    ],
    ...['http://a/admin', 'http://a//x/../admin', 'HTTP://a/%61dmin'],
  ];
  test('is denied, however it is written', async (t) => {
    const world = await guard(t, rules);
    for (const target of targets) {
      assert.equal(await statuses(world, request(`GET ${target}`)), '403', target);
    }
  });

  test('or refused where it could mean anything', async (t) => {
    const world = await guard(t, rules);
    for (const target of ['/%00/admin', '/admin#x', 'admin', '*', 'http://a@b/admin']) {
      assert.match(await statuses(world, request(`GET ${target}`)), /^(?:400|404)$/, target);
    }
  });

  test('and another one is not', async (t) => {
    const world = await guard(t, rules);
    for (const target of ['/', '/Admin', '/x/admin', '/x?/admin', '/admi', '/admin/../x', '/?../admin']) {
      assert.equal(await statuses(world, request(`GET ${target}`)), '200', target);
    }
  });
});

describe('a host that is denied', () => {
  const rules = {
    action: 'DENY',
    policies: {
      internal: policy({
        header: { name: ':authority', string_match: { exact: 'internal', ignore_case: true } },
      }),
    },
  };
  const hosts: readonly (readonly [string, string, string])[] = [
    ['GET /', 'internal', '403'],
    ['GET /', 'INTERNAL', '403'],
    ['GET http://internal/', 'a', '403'],
    // What goes on is the target's, so that the policy decides about that.
    ['GET http://a/', 'internal', '200'],
    ['GET /', 'internal:80', '403'],
    ['GET /', 'internal.', '403'],
    ['GET /', 'internal.:80', '403'],
    ['GET /', 'a\r\nHost: internal', '400'],
    ['GET /', 'internal, a', '400'],
    ['GET /', 'a@internal', '400'],
  ];
  test('is denied in every way to write it that goes on', async (t) => {
    const world = await guard(t, rules, {
      manager: { strip_any_host_port: true, strip_trailing_host_dot: true },
    });
    for (const [line, host, expected] of hosts) {
      assert.equal(await statuses(world, request(line, '', host)), expected, `${line} to ${host}`);
    }
  });
});

describe('a header', () => {
  const admin = { header: { name: 'x-role', string_match: { exact: 'admin' } } };
  const sent: readonly (readonly [string, string, string])[] = [
    ['once', 'X-Role: admin\r\n', '403'],
    ['behind another', 'X-Role: user\r\nX-Role: admin\r\n', '403'],
    ['before another', 'X-Role: admin\r\nX-Role: user\r\n', '403'],
    ['in capitals', 'X-ROLE: admin\r\n', '403'],
    ['with white space', 'X-Role: \t admin \r\n', '403'],
    ['with white space before the colon', 'X-Role : admin\r\n', '400'],
    ['folded', 'X-Role:\r\n admin\r\n', '400'],
  ];
  test('that is denied is found in every way to write it', async (t) => {
    const world = await guard(t, { action: 'DENY', policies: { p: policy(admin) } });
    for (const [name, fields, expected] of sent) {
      assert.equal(await statuses(world, request('GET /', fields)), expected, name);
    }
  });

  test('that is asked for does not count where it does not go on', async (t) => {
    const world = await guard(t, { policies: { p: policy(admin) } });
    const nominated = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Role\r\nX-Role: admin\r\n\r\n';
    assert.equal(await statuses(world, nominated), '403');
    const trailer =
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Role: admin\r\n\r\n';
    assert.equal(await statuses(world, trailer), '403');
    assert.equal(await statuses(world, request('GET /', 'X-Role: admin\r\n')), '200');
  });

  test('does not change the method', async (t) => {
    const get = { header: { name: ':method', string_match: { exact: 'GET' } } };
    const world = await guard(t, { policies: { p: policy(get) } });
    for (const field of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', '_method']) {
      assert.equal(
        await statuses(world, request('POST /', `Content-Length: 0\r\n${field}: GET\r\n`)),
        '403',
        field,
      );
    }
    assert.match(await statuses(world, request('get /')), /^(?:400|403)$/);
    assert.equal(await statuses(world, request('POST /', 'Content-Length: 0\r\n:method: GET\r\n')), '400');
  });
});

test('an address in X-Forwarded-For is believed only where the listener believes it', async (t) => {
  const inside = { remote_ip: { address_prefix: '10.0.0.0', prefix_len: 8 } };
  const rules = { policies: { inside: policy(any, inside) } };
  const fields = 'X-Forwarded-For: 10.1.2.3\r\n';
  const believing = await guard(t, rules);
  assert.equal(await statuses(believing, request('GET /', fields)), '200');
  const edge = await guard(t, rules, { manager: { use_remote_address: true } });
  assert.equal(await statuses(edge, request('GET /', fields)), '403');
});
