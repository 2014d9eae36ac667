// The control plane of a measurement, in a process of its own: `control-plane SERVICES ENDPOINTS NAMESPACES SIDECARS`. Everything that `heddle up`
// serves sidecars with, and nothing on disk.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock, type Result } from '@heddle/base';
import { CertificateAuthority, ControlPlaneIdentity, MemoryIssuanceLog, openRoot } from '@heddle/ca';
import {
  ControlPlane,
  MemoryConfigStore,
  MemoryInstanceStore,
  MemoryServiceBindings,
} from '@heddle/control-plane';
import { startGrpcServer } from '@heddle/control-plane/grpc-server';
import {
  createCertificateRequest,
  exportPrivateKey,
  generateKeyPair,
  parseTrustDomain,
  workloadSpiffeId,
} from '@heddle/identity';
import { TypeUrl } from '@heddle/xds';
import { answerQuestions } from './answering.ts';
import {
  machineMs,
  usage,
  type Change,
  type ChangeKind,
  type ControlPlaneQuestion,
  type ControlPlaneReady,
  type Credentials,
} from './messages.ts';
import { clusterOf, commonService, instanceOf, namespaceOf, sidecarOf } from './mesh.ts';

const [services = 1000, endpoints = 10, namespaces = 20, sidecars = 0] = process.argv.slice(2).map(Number);
const trustDomain = taken(parseTrustDomain('cluster.local'));
const clock = systemClock;

function taken<T>(result: Result<T, unknown>): T {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.error));
}

const directory = mkdtempSync(join(tmpdir(), 'heddle-bench-'));
const root = taken(await openRoot({ directory, trustDomain, clock }));
rmSync(directory, { recursive: true });
const authority = await CertificateAuthority.open({ root, clock, log: new MemoryIssuanceLog() });
const identity = taken(
  await ControlPlaneIdentity.open({
    authority,
    names: { dnsNames: ['localhost'], addresses: ['127.0.0.1'] },
    clock,
    logger: silentLogger,
  }),
);

const instanceStore = new MemoryInstanceStore();
for (let service = 0; service < services; service++) {
  for (let index = 0; index < endpoints; index++)
    await instanceStore.put(instanceOf(service, index, namespaces, 0));
}
const configStore = new MemoryConfigStore(clock);
const hour = 3_600_000;
const controlPlane = await ControlPlane.open({
  clock,
  logger: silentLogger,
  configStore,
  instanceStore,
  bindings: new MemoryServiceBindings(),
  // Nobody renews a lease here.
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

async function credentialsOf(namespace: string): Promise<Credentials> {
  const id = taken(workloadSpiffeId({ trustDomain, namespace, serviceAccount: 'load' }));
  const key = generateKeyPair();
  const issued = taken(await authority.issueWorkload(id, createCertificateRequest(key, id)));
  return {
    namespace,
    id,
    certificateChain: issued.certificateChain,
    privateKey: exportPrivateKey(key),
  };
}

const sidecarsAtOnce = 200;
for (let first = 0; first < sidecars; first += sidecarsAtOnce) {
  const count = Math.min(sidecarsAtOnce, sidecars - first);
  const manifests = Array.from({ length: count }, (_, index) =>
    JSON.stringify(sidecarOf(first + index, services, namespaces)),
  );
  const files = [{ name: 'sidecars.yaml', text: manifests.join('\n---\n') }];
  taken(await controlPlane.configuration.apply({ files, namespace: 'default' }, 'bench'));
}

const ready: ControlPlaneReady = {
  address: server.address,
  bundlePem: authority.bundle.pem,
  credentials: await Promise.all(
    Array.from({ length: namespaces }, (_, index) => credentialsOf(`ns-${index}`)),
  ),
};

let changes = 0;
let bundles = 0;

/** Moves an endpoint of a service to another port. */
function moveEndpoint(service: number): void {
  changes++;
  void controlPlane.leases.publish(instanceOf(service, 0, namespaces, 1 + (changes % 10_000)));
}

async function apply(kind: string, service: number, spec: object): Promise<void> {
  const manifest = {
    apiVersion: 'networking.istio.io/v1',
    kind,
    metadata: { name: `svc-${service}`, namespace: namespaceOf(service, namespaces) },
    spec: { host: `svc-${service}`, ...spec },
  };
  const files = [{ name: 'bench.yaml', text: JSON.stringify(manifest) }];
  const namespace = namespaceOf(service, namespaces);
  taken(await controlPlane.configuration.apply({ files, namespace }, 'bench'));
}

async function change(kind: ChangeKind): Promise<Change> {
  const service = sidecars > 0 ? commonService : 1 + (changes % (services - 1));
  const at = machineMs();
  switch (kind) {
    case 'endpoint':
      moveEndpoint(service);
      return { kind, at, typeUrl: TypeUrl.clusterLoadAssignment, name: clusterOf(service, namespaces) };
    case 'route':
      changes++;
      await apply('VirtualService', service, {
        host: undefined,
        hosts: [`svc-${service}`],
        http: [
          {
            match: [{ uri: { prefix: `/v${changes}` } }],
            route: [{ destination: { host: `svc-${service}` } }],
          },
          { route: [{ destination: { host: `svc-${service}` } }] },
        ],
      });
      return { kind, at, typeUrl: TypeUrl.virtualHost, name: '' };
    case 'policy':
      changes++;
      await apply('DestinationRule', service, {
        subsets: [{ name: `v${changes}`, labels: { version: 'v1' } }],
      });
      return { kind, at, typeUrl: TypeUrl.cluster, name: clusterOf(service, namespaces, `v${changes}`) };
    default:
      bundles++;
      controlPlane.setTrustBundle(authority.bundle.pem.repeat(1 + (bundles % 7)));
      return { kind, at, typeUrl: TypeUrl.secret, name: '' };
  }
}

/** Every millisecond as many changes as are due; the last services are left to whoever measures. */
function churn(perSecond: number, seconds: number): Promise<number> {
  const began = machineMs();
  let made = 0;
  const { promise, resolve } = Promise.withResolvers<number>();
  const timer = setInterval(() => {
    const due = Math.min(perSecond * seconds, Math.floor(((machineMs() - began) / 1000) * perSecond));
    for (; made < due; made++) moveEndpoint(made % services);
    if (made < perSecond * seconds) return;
    clearInterval(timer);
    resolve(made);
  }, 1);
  return promise;
}

answerQuestions((question: ControlPlaneQuestion) => {
  switch (question.ask) {
    case 'ready':
      return ready;
    case 'change':
      return change(question.kind);
    case 'churn':
      return churn(question.perSecond, question.seconds);
    default:
      return usage();
  }
});
