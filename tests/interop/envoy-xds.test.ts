// Real Envoy as a client of the control plane: it takes everything, by either protocol, and every change.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { silentLogger, systemClock, type Result } from '@heddle/base';
import { CertificateAuthority, ControlPlaneIdentity, MemoryIssuanceLog, openRoot } from '@heddle/ca';
import {
  ControlPlane,
  MemoryConfigStore,
  MemoryInstanceStore,
  MemoryServiceBindings,
  type Instance,
} from '@heddle/control-plane';
import { startGrpcServer } from '@heddle/control-plane/grpc-server';
import {
  createCertificateRequest,
  exportPrivateKey,
  generateKeyPair,
  parseTrustDomain,
  workloadSpiffeId,
} from '@heddle/identity';
import {
  eventually,
  findEnvoy,
  freePort,
  skipWithout,
  startChild,
  temporaryDirectory,
} from '@heddle/testkit';
import type { RejectedResource } from '@heddle/xds';
import { everyDestinationRule, everyGatewayRoute, everyVirtualService } from '../support/every-field.ts';

const clock = systemClock;

function taken<T>(result: Result<T, unknown>): T {
  assert.ok(result.ok, result.ok ? '' : String(result.error));
  return result.value;
}

function instanceOf(service: string, port: number): Instance {
  return {
    instance: `${service}-0`,
    namespace: 'default',
    service,
    serviceAccount: service,
    servicePort: 9080,
    protocol: 'http',
    address: '127.0.0.1',
    port,
    labels: { app: service, version: 'v1' },
    publishedAt: 0,
    takesTunnels: true,
  };
}

class Mesh {
  readonly controlPlane: ControlPlane;
  readonly address: string;
  private readonly authority: CertificateAuthority;

  private constructor(controlPlane: ControlPlane, address: string, authority: CertificateAuthority) {
    this.controlPlane = controlPlane;
    this.address = address;
    this.authority = authority;
  }

  static async start(context: TestContext, directory: string): Promise<Mesh> {
    const trustDomain = taken(parseTrustDomain('cluster.local'));
    const root = taken(await openRoot({ directory: join(directory, 'ca'), trustDomain, clock }));
    const authority = await CertificateAuthority.open({ root, clock, log: new MemoryIssuanceLog() });
    const names = { dnsNames: ['localhost'], addresses: ['127.0.0.1'] };
    const identity = taken(
      await ControlPlaneIdentity.open({ authority, names, clock, logger: silentLogger }),
    );
    const instanceStore = new MemoryInstanceStore();
    for (const service of ['reviews', 'ratings']) await instanceStore.put(instanceOf(service, 20_001));
    const hour = 3_600_000;
    const controlPlane = await ControlPlane.open({
      clock,
      logger: silentLogger,
      configStore: new MemoryConfigStore(clock),
      instanceStore,
      bindings: new MemoryServiceBindings(),
      leaseTimes: { leaseMs: hour, renewMs: hour, graceMs: hour },
      issuer: {
        trustDomain,
        bundlePem: authority.bundle.pem,
        rootNotAfterMs: root.certificate.notAfterMs,
        issueWorkload: authority.issueWorkload.bind(authority),
      },
    });
    const server = await startGrpcServer({
      address: '127.0.0.1',
      port: 0,
      methods: controlPlane.methods,
      clock,
      logger: silentLogger,
      identity: () => identity.certificate,
      onIdentityChange: (listener) => identity.onChange(listener),
      bundle: () => authority.bundle,
    });
    context.after(async () => {
      await controlPlane.close();
      await server.close();
      identity.close();
    });
    return new Mesh(controlPlane, server.address, authority);
  }

  /** What the only client has refused. */
  get rejected(): readonly RejectedResource[] {
    return this.controlPlane.ads.status()[0]?.rejected ?? [];
  }

  async apply(kind: string, spec: object): Promise<void> {
    const manifest = {
      apiVersion: 'networking.istio.io/v1',
      kind,
      metadata: { name: 'reviews', namespace: 'default' },
      spec,
    };
    await this.applyText(JSON.stringify(manifest));
  }

  async applyText(text: string): Promise<void> {
    const files = [{ name: 'a.yaml', text }];
    taken(await this.controlPlane.configuration.apply({ files, namespace: 'default' }, 'test'));
  }

  /** Writes a certificate of the mesh, its key and the roots where Envoy finds them. */
  async writeCredentials(directory: string): Promise<void> {
    const parts = { trustDomain: this.authority.trustDomain, namespace: 'default', serviceAccount: 'page' };
    const id = taken(workloadSpiffeId(parts));
    const key = generateKeyPair();
    const issued = taken(await this.authority.issueWorkload(id, createCertificateRequest(key, id)));
    await writeFile(join(directory, 'certificate.pem'), issued.certificateChain);
    await writeFile(join(directory, 'key.pem'), exportPrivateKey(key));
    await writeFile(join(directory, 'roots.pem'), this.authority.bundle.pem);
  }
}

function bootstrap(
  directory: string,
  mesh: Mesh,
  adminPort: number,
  apiType: string,
  binds: readonly number[],
): object {
  const [host, port] = mesh.address.split(':');
  const address = (at: string, portValue: number) => ({
    socket_address: { address: at, port_value: portValue },
  });
  const file = (name: string) => ({ filename: join(directory, name) });
  return {
    node: {
      id: 'sidecar~page-0~page.default~default.svc.cluster.local',
      cluster: 'page.default',
      metadata: {
        NAMESPACE: 'default',
        SERVICE: 'page',
        SERVICE_ACCOUNT: 'page',
        INSTANCE: 'page-0',
        SERVICE_PORT: 9080,
        APP_PORT: binds[0],
        INBOUND: { address: '127.0.0.1', port: binds[1] },
        OUTBOUND_PROXY: { address: '127.0.0.1', port: binds[2] },
        INTERCEPTION: {
          MODE: 'REDIRECT',
          ADDRESS: '127.0.0.1',
          OUTBOUND_PORT: binds[4],
          INBOUND_PORT: binds[5],
        },
        UPSTREAMS: [
          {
            host: 'reviews.default.svc.cluster.local',
            port: 9080,
            bind: { address: '127.0.0.1', port: binds[3] },
          },
        ],
      },
    },
    admin: { address: address('127.0.0.1', adminPort) },
    dynamic_resources: {
      ads_config: {
        api_type: apiType,
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
      },
      cds_config: { ads: {}, resource_api_version: 'V3' },
      lds_config: { ads: {}, resource_api_version: 'V3' },
    },
    static_resources: {
      clusters: [
        {
          name: 'xds',
          type: 'STATIC',
          load_assignment: {
            cluster_name: 'xds',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: address(host!, Number(port)) } }] }],
          },
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          transport_socket: {
            name: 'envoy.transport_sockets.tls',
            typed_config: {
              '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
              common_tls_context: {
                tls_params: {
                  tls_minimum_protocol_version: 'TLSv1_3',
                  tls_maximum_protocol_version: 'TLSv1_3',
                },
                alpn_protocols: ['h2'],
                tls_certificates: [
                  { certificate_chain: file('certificate.pem'), private_key: file('key.pem') },
                ],
                validation_context: { trusted_ca: file('roots.pem') },
              },
            },
          },
        },
      ],
    },
  };
}

const ports = `ports:
  - {number: 80, name: web, protocol: HTTP}
  - {number: 82, name: h2, protocol: GRPC}
  - {number: 443, name: tls, protocol: HTTPS}
  - {number: 5432, name: raw, protocol: TCP}`;

/** A service of every resolution, one on virtual machines of which one is in the mesh, and rules for them. */
function declaredServices(appPort: number): string {
  const entry = (name: string, spec: string): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}}
spec:
  hosts: [${name}.example]
  ${spec}
  ${ports}
---`;
  const rule = (host: string, tls: string): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${host}}
spec: {host: ${host}.example, trafficPolicy: {tls: ${tls}}, subsets: [{name: v1, labels: {version: v1}}]}
---`;
  const endpoint = (address: string): string =>
    `endpoints: [{address: ${address}, ports: {web: ${appPort}}}]`;
  const vm = (name: string, more: string): string => `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: ${name}}
spec: {address: 127.0.0.1, labels: {app: vm}, locality: eu/a, weight: 3${more}}
---`;
  return [
    entry('none', 'resolution: NONE'),
    entry('ranges', '{addresses: [10.9.0.0/16, 10.8.0.1]}'.slice(1, -1)),
    entry('static', `resolution: STATIC\n  ${endpoint('127.0.0.1')}`),
    entry('socket', 'resolution: STATIC\n  endpoints: [{address: unix:///tmp/heddle-nobody.sock}]'),
    entry('dns', `resolution: DNS\n  ${endpoint('localhost')}`),
    entry('first', `resolution: DNS_ROUND_ROBIN\n  ${endpoint('localhost')}`),
    entry('secure', `resolution: DNS\n  ${endpoint('localhost')}`),
    entry('mutual', `resolution: STATIC\n  ${endpoint('127.0.0.1')}`),
    entry('vm', 'location: MESH_INTERNAL\n  resolution: STATIC\n  workloadSelector: {labels: {app: vm}}'),
    vm('plain', ''),
    vm('member', ', serviceAccount: vm'),
    rule('secure', '{mode: SIMPLE}'),
    rule('mutual', '{mode: ISTIO_MUTUAL}'),
    rule('static', '{mode: DISABLE}'),
  ].join('');
}

const onlyKnown = `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: page}
spec:
  egress: [{hosts: ["./static.example", "*/reviews.default.svc.cluster.local"]}]
  outboundTrafficPolicy: {mode: REGISTRY_ONLY}
`;

/** Asks for a host as programs do that know a proxy. */
async function askProxy(port: number, host: string): Promise<number> {
  const asked = request({ host: '127.0.0.1', port, path: `http://${host}/`, headers: { host } });
  asked.end();
  const [response] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

describe('Envoy at the control plane', { skip: skipWithout({ envoy: findEnvoy() }) }, () => {
  for (const apiType of ['DELTA_GRPC', 'GRPC']) {
    it(`takes everything, and every change: ${apiType}`, async (context) => {
      await using directory = await temporaryDirectory('heddle-envoy-xds');
      const mesh = await Mesh.start(context, directory.path);
      await mesh.writeCredentials(directory.path);
      const [adminPort, ...binds] = [
        await freePort(),
        await freePort(),
        await freePort(),
        await freePort(),
        await freePort(),
        await freePort(),
        await freePort(),
      ] as const;
      const outside = createServer((_request, response) => response.writeHead(204).end());
      await once(outside.listen(0, '127.0.0.1'), 'listening');
      context.after(() => outside.close());
      const path = join(directory.path, 'envoy.json');
      await writeFile(path, JSON.stringify(bootstrap(directory.path, mesh, adminPort, apiType, binds)));
      const envoy = await startChild(findEnvoy()!, {
        arguments: ['-c', path, '--concurrency', '1', '--use-dynamic-base-id', '-l', 'warning'],
      });
      context.after(() => envoy.kill());
      const stat = async (name: string): Promise<number> => {
        const response = await fetch(`http://127.0.0.1:${adminPort}/stats?filter=^${name}$`).catch(
          () => null,
        );
        return Number(/: (\d+)/.exec((await response?.text()) ?? '')?.[1] ?? -1);
      };
      const isSettled = (): boolean => {
        const types = mesh.controlPlane.ads.status()[0]?.types;
        return types !== undefined && types.size >= 4 && [...types.values()].every(({ synced }) => synced);
      };
      const settled = async (): Promise<void> => {
        // By the state of the world nobody can say that there is no such secret, and Envoy waits 15 s for its certificate's.
        const isOver = (): boolean => isSettled() || mesh.rejected.length > 0;
        await eventually('Envoy has everything or refuses something', isOver, 40_000);
        assert.deepEqual(mesh.rejected, []);
      };
      await settled();
      assert.ok((await stat('cluster_manager.cds.update_success')) > 0);
      const changes: readonly (() => Promise<unknown>)[] = [
        () => mesh.controlPlane.leases.publish(instanceOf('reviews', 20_002)),
        () => mesh.controlPlane.leases.publish(instanceOf('details', 20_003)),
        () =>
          mesh.apply('VirtualService', {
            hosts: ['reviews'],
            http: [
              { match: [{ uri: { prefix: '/v' } }], route: [{ destination: { host: 'ratings' } }] },
              { route: [{ destination: { host: 'reviews' } }] },
            ],
          }),
        () =>
          mesh.apply('DestinationRule', {
            host: 'reviews',
            subsets: [{ name: 'v1', labels: { version: 'v1' } }],
          }),
        () => mesh.applyText(everyVirtualService),
        () => mesh.applyText(everyDestinationRule),
        () => mesh.applyText(everyGatewayRoute),
      ];
      for (const change of changes) {
        await change();
        await settled();
      }
      await mesh.applyText(declaredServices((outside.address() as AddressInfo).port));
      await settled();
      const answersOf = async (): Promise<number[]> => {
        const hosts = ['static.example', 'dns.example', 'first.example'];
        return await Promise.all(hosts.map((host) => askProxy(binds[2], host)));
      };
      await eventually(
        'requests leave the mesh',
        async () => (await answersOf()).every((status) => status === 204),
        10_000,
      );
      const declared = await (await fetch(`http://127.0.0.1:${adminPort}/config_dump`)).text();
      for (const name of ['none', 'ranges', 'static', 'socket', 'dns', 'first', 'secure', 'mutual', 'vm'])
        for (const port of [80, 82, 443, 5432])
          assert.ok(declared.includes(`outbound|${port}||${name}.example`), `${name} ${port}`);
      await mesh.applyText(onlyKnown);
      await settled();
      await eventually(
        'only what is known is reached',
        async () => {
          const [known, unknown] = await answersOf();
          return known === 204 && unknown === 502;
        },
        10_000,
      );
      taken(
        await mesh.controlPlane.configuration.delete(
          { files: [{ name: 'c', text: onlyKnown }], namespace: 'default' },
          'test',
        ),
      );
      await settled();
      for (const kind of ['cluster_manager.cds', 'listener_manager.lds'])
        assert.equal(await stat(`${kind}.update_rejected`), 0);
      const clusters = await (await fetch(`http://127.0.0.1:${adminPort}/config_dump`)).text();
      for (const name of ['outbound|9080|v1|reviews', 'outbound|9080||details']) {
        assert.ok(clusters.includes(name), name);
      }
    });
  }
});
