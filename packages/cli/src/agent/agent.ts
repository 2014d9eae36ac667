// Stands beside an Envoy, or an application whose gRPC library knows xDS, for what a sidecar does by itself: joining, keys, the
// way to the control plane, the instance's lease.
import { join } from 'node:path';
import { type Clock, HeddleError, type Logger, type Random, errorMessage, ok } from '@heddle/base';
import { RenewalSchedule, type WorkloadIdentity, joinMesh } from '@heddle/identity';
import type { FromSidecar, Transport } from '@heddle/proxy';
import { AppProbe } from '@heddle/proxy/app-probe';
import { certificateRequester } from '@heddle/proxy/certificate-requests';
import { connectToControlPlane } from '@heddle/proxy/control-plane-link';
import { InstanceLease } from '@heddle/proxy/instance-lease';
import { joinOptionsOf } from '@heddle/proxy/join';
import { rejoining } from '@heddle/proxy/rejoining';
import { type RpcClient, messageNameOf } from '@heddle/xds';
import type { AgentOptions } from './agent-options.ts';
import { EnvoyProcess } from './envoy-process.ts';
import type { ForeignDataPlane } from './foreign-data-plane.ts';
import { GrpcApplication } from './grpc-application.ts';
import { LocalSecrets } from './local-secrets.ts';
import { LocalServer } from './local-server.ts';
import { LocalServices } from './local-services.ts';

export interface AgentEnvironment {
  readonly identity: WorkloadIdentity;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What the supervisor is told. */
  readonly tell: (message: FromSidecar) => void;
  /** The data plane has ended by itself, and the agent has nothing left to do. */
  onEnded(error: HeddleError): void;
}

const names = { envoy: 'Envoy', grpc: 'gRPC' } as const;

export class Agent {
  private readonly options: AgentOptions;
  private readonly environment: AgentEnvironment;
  private readonly rpc: RpcClient;
  private readonly renewals: RenewalSchedule;
  private readonly services: LocalServices;
  private readonly lease: InstanceLease;
  private readonly probe: AppProbe;
  private readonly dataPlane: ForeignDataPlane;
  private server: LocalServer | null = null;
  private isReady = false;

  constructor(options: AgentOptions, environment: AgentEnvironment) {
    const { identity, transport, clock, random, logger, tell } = environment;
    this.options = options;
    this.environment = environment;
    const rpc = connectToControlPlane({ identity, transport, clock, random, logger });
    this.rpc = rpc;
    this.renewals = new RenewalSchedule({
      renewable: rejoining(identity.renewal(certificateRequester(rpc)), {
        clock,
        logger,
        rejoin: async () => {
          const joined = await joinMesh(joinOptionsOf(options, clock, logger));
          if (joined.ok) identity.adopt(joined.value);
          return joined.ok ? ok(undefined) : joined;
        },
      }),
      name: identity.id,
      clock,
      random,
      logger,
    });
    this.services = new LocalServices({
      rpc,
      secrets: new LocalSecrets(identity),
      clock,
      events: {
        onTrustBundle: (pem) => void identity.replaceBundle(pem).then(() => this.renewals.check()),
        onRefused: (typeUrl, reason) => this.onRefused(typeUrl, reason),
      },
    });
    this.lease = new InstanceLease({
      rpc,
      clock,
      random,
      logger,
      instance: {
        instance: options.instance,
        namespace: options.namespace,
        service: options.service,
        servicePort: options.servicePort,
        protocol: options.protocol,
        address: options.advertiseAddress,
        port: options.advertisePort ?? options.inbound.port,
        labels: { ...options.labels },
        // Whether connections come as streams is decided for each endpoint here, which neither of them can.
        tunnel: '',
      },
      onPublished: () => tell({ type: 'published' }),
      onRefused: (message) => {
        logger.error('Instance refused', { reason: message });
        tell({ type: 'warning', code: 'HEDDLE_INSTANCE_REFUSED', message });
      },
    });
    this.probe = new AppProbe(transport, { host: '127.0.0.1', port: options.appPort }, clock);
    this.dataPlane =
      options.proxy === 'envoy'
        ? new EnvoyProcess(options, clock)
        : new GrpcApplication(options, identity, logger);
  }

  get hasServed(): boolean {
    return this.isReady;
  }

  /** Resolves when the data plane serves. Rejects where the socket can't be bound. */
  async start(): Promise<void> {
    const { identity, clock, tell } = this.environment;
    this.server = await LocalServer.start({
      stateDirectory: this.options.stateDirectory,
      methods: this.services.methods,
      peer: { identity: identity.id, remoteAddress: 'unix', certificateNotAfter: Number.MAX_SAFE_INTEGER },
      clock,
    });
    this.renewals.start();
    await this.dataPlane.start(this.server.path, (reason) => this.onEnded(reason));
    this.isReady = true;
    tell({ type: 'ready', source: 'control-plane', identity: identity.id });
  }

  /** The application was started: publishes the instance when its port accepts connections. */
  applicationStarted(): void {
    if (this.options.servicePort > 0) this.probe.start(() => this.lease.publish());
  }

  async withdraw(timeoutMs: number): Promise<void> {
    this.probe.close();
    const outcome = await this.lease.withdraw(timeoutMs);
    this.environment.tell({ type: 'withdrawn', ...outcome });
  }

  async drain(timeoutMs: number): Promise<void> {
    const open = await this.dataPlane.drain(timeoutMs);
    this.environment.tell({ type: 'drained', open });
  }

  async close(): Promise<void> {
    this.probe.close();
    this.lease.close();
    this.renewals.close();
    await this.dataPlane.close();
    this.services.close();
    await this.server?.close();
    this.rpc.close();
  }

  private onEnded(reason: string): void {
    const when = this.isReady ? '' : ' before it was ready';
    const log = join(this.options.stateDirectory, 'sidecar.log');
    this.environment.onEnded(
      new HeddleError('HEDDLE_ENVOY_ENDED', `Envoy ended${when} (${reason}); it wrote to ${log}`),
    );
  }

  private onRefused(typeUrl: string, reason: string): void {
    const kind = messageNameOf(typeUrl).split('.').at(-1) ?? typeUrl;
    const message = `${names[this.options.proxy]} refused a ${kind}: ${reason}`;
    this.environment.logger.error('Configuration refused', { reason: message });
    // Without its listeners it would wait for ever.
    if (!this.isReady && /cannot bind/.test(reason))
      this.environment.onEnded(new HeddleError('HEDDLE_LISTEN_FAILED', message));
    else this.environment.tell({ type: 'warning', code: 'HEDDLE_CONFIGURATION_REFUSED', message });
  }
}

/** An error of any kind as one that the supervisor can show. */
export function failureOf(error: unknown): HeddleError {
  return error instanceof HeddleError ? error : new HeddleError('HEDDLE_INTERNAL', errorMessage(error));
}
