/** `/heddle.mesh.v1.InstanceService/Lease`: a sidecar publishes its instance and keeps it for as long as the stream lives. */
import { isIP } from 'node:net';
import { assertNever, errorMessage, HeddleError, type Clock, type Logger } from '@heddle/base';
import { RpcCode, type RpcMethod, type RpcPeer, type RpcStream, type RpcStreamHandler } from '@heddle/xds';
import { LeaseRequest, LeaseResponse, type Publish } from '@heddle/xds/api/heddle/mesh/v1/instance.ts';
import { tunnelProtocol } from '../compile/tcp-link.ts';
import type { Instance } from '../instances/instance-store.ts';
import type { LeaseHolder, LeaseManager } from '../instances/lease-manager.ts';
import type { ServiceBindings } from '../store/service-bindings.ts';
import { workloadOf, type WorkloadPeer } from './workload-peer.ts';

export const leaseMethod = '/heddle.mesh.v1.InstanceService/Lease';

/** How many proxies have confirmed that an instance is gone. */
export interface RemovalOutcome {
  readonly acknowledged: boolean;
  readonly waiting: number;
}

export interface InstanceServiceOptions {
  readonly leases: LeaseManager;
  readonly bindings: ServiceBindings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly trustDomain: string;
  /**
   * Calls `remove`, which takes the instance out, then waits until no connected proxy uses it any more or the time is up.
   */
  awaitRemoval(instance: Instance, remove: () => Promise<void>): Promise<RemovalOutcome>;
}

const namePattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const instancePattern = /^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$/;
const maxNameLength = 63;
const maxInstanceLength = 253;
const maxLabels = 64;
const maxLabelLength = 317;
/** A sidecar waits for each answer: whoever says so much at once only wants it kept. */
const maxWaiting = 16;

export function instanceService(options: InstanceServiceOptions): RpcMethod {
  return { kind: 'stream', open: (stream, peer) => new LeaseStream(options, stream, peer) };
}

class LeaseStream implements RpcStreamHandler {
  private readonly options: InstanceServiceOptions;
  private readonly stream: RpcStream;
  private readonly peer: RpcPeer;
  private instance: Instance | null = null;
  private holder: LeaseHolder | null = null;
  /** Requests are handled one after the other. */
  private work: Promise<void> = Promise.resolve();
  private waiting = 0;
  private isOver = false;

  constructor(options: InstanceServiceOptions, stream: RpcStream, peer: RpcPeer) {
    this.options = options;
    this.stream = stream;
    this.peer = peer;
  }

  onMessage(message: Uint8Array): void {
    let request: LeaseRequest;
    try {
      request = LeaseRequest.decode(message);
    } catch (error) {
      this.fail(RpcCode.invalidArgument, `Not a LeaseRequest: ${errorMessage(error)}`);
      return;
    }
    // Renewals don't queue: one that waits behind a slow disk would come too late.
    if (request.request?.$case === 'renew') this.renew();
    else if (this.waiting >= maxWaiting)
      this.fail(RpcCode.resourceExhausted, `More than ${maxWaiting} requests wait for their answers.`);
    else this.queue(request);
  }

  onHalfClose(): void {
    this.stream.end();
    this.release();
  }

  onWritable(): void {
    // Answers are small and few: nothing is held back.
  }

  onEnd(): void {
    this.release();
  }

  private queue(request: LeaseRequest): void {
    this.waiting++;
    this.work = this.work
      .then(() => this.handle(request))
      .catch((error: unknown) => this.broken(error))
      .then(() => void this.waiting--);
  }

  private async handle({ request }: LeaseRequest): Promise<void> {
    if (this.isOver) return;
    switch (request?.$case) {
      case 'publish':
        return await this.publish(request.value);
      case 'withdraw':
        return await this.withdraw();
      case 'renew':
      case undefined:
        return this.fail(RpcCode.invalidArgument, 'The request is empty.');
      default:
        return assertNever(request);
    }
  }

  private async publish(publish: Publish): Promise<void> {
    const { leases, clock, trustDomain } = this.options;
    const workload = workloadOf(this.peer);
    const fault =
      workload?.trustDomain === trustDomain
        ? faultOf(publish, workload)
        : 'the certificate names no workload';
    if (workload === undefined || fault !== null)
      return this.fail(RpcCode.permissionDenied, `The instance is refused: ${fault}.`);
    if (!(await this.mayServe(workload, publish.service))) {
      const account = `${workload.namespace}/${workload.serviceAccount}`;
      return this.fail(
        RpcCode.permissionDenied,
        `Service account ${account} may not be an instance of service ${publish.service}: join with a token that is not bound to a service account, or name the account like the service.`,
      );
    }
    if (this.isOver) return;
    if (this.instance !== null && this.instance.instance !== publish.instance)
      return this.fail(RpcCode.failedPrecondition, `This stream holds ${this.instance.instance} already.`);
    const instance: Instance = {
      instance: publish.instance,
      namespace: publish.namespace,
      service: publish.service,
      serviceAccount: workload.serviceAccount,
      servicePort: publish.servicePort,
      protocol: publish.protocol === '' ? 'http' : publish.protocol,
      address: publish.address,
      port: publish.port,
      labels: publish.labels,
      takesTunnels: publish.tunnel === tunnelProtocol,
      publishedAt: clock.now(),
    };
    this.instance = instance;
    const holder = await leases.publish(instance);
    this.holder = holder;
    if (this.isOver) {
      holder.release();
      return;
    }
    const { leaseMs, renewMs } = leases.times;
    this.send({ $case: 'published', value: { leaseMs, renewMs } });
  }

  /** Callers trust every identity among a service's instances, so none is taken in that nobody has allowed. */
  private async mayServe({ namespace, serviceAccount }: WorkloadPeer, service: string): Promise<boolean> {
    if (service === serviceAccount) return true;
    return await this.options.bindings.has({ namespace, serviceAccount, service });
  }

  private renew(): void {
    // Before the publish is through there is nothing to renew.
    if (this.holder === null || this.holder.renew()) return;
    this.fail(RpcCode.failedPrecondition, 'The lease is lost: publish the instance again.');
  }

  private async withdraw(): Promise<void> {
    const { holder, instance } = this;
    if (holder === null || instance === null)
      return this.fail(RpcCode.failedPrecondition, 'There is nothing to withdraw.');
    const outcome = await this.options.awaitRemoval(instance, () => holder.withdraw());
    this.holder = null;
    this.instance = null;
    this.send({ $case: 'withdrawn', value: outcome });
  }

  private send(response: NonNullable<LeaseResponse['response']>): void {
    if (this.isOver) return;
    this.stream.send(LeaseResponse.encode(LeaseResponse.fromPartial({ response })).finish());
  }

  private broken(error: unknown): void {
    if (error instanceof HeddleError && error.code === 'HEDDLE_INSTANCE_TAKEN') {
      this.fail(RpcCode.permissionDenied, error.message);
      return;
    }
    this.options.logger.error('Cannot handle a lease', {
      identity: this.peer.identity,
      error: errorMessage(error),
    });
    this.fail(RpcCode.internal, 'The control plane could not store the instance.');
  }

  private fail(code: number, message: string): void {
    if (this.isOver) return;
    this.stream.end({ code, message });
    this.release();
  }

  private release(): void {
    this.isOver = true;
    this.holder?.release();
    this.holder = null;
  }
}

/** What speaks against a publication; null where nothing does. */
function faultOf(publish: Publish, workload: WorkloadPeer): string | null {
  const { instance, namespace, service, servicePort, protocol, address, port, labels } = publish;
  if (namespace !== workload.namespace)
    return `its namespace is ${JSON.stringify(namespace)}, that of the certificate ${workload.namespace}`;
  if (instance.length > maxInstanceLength || !instancePattern.test(instance)) return 'its id is not valid';
  if (service.length > maxNameLength || !namePattern.test(service))
    return 'the name of its service is not valid';
  if (protocol.length > maxNameLength) return 'its protocol is not valid';
  if (servicePort > 65_535) return 'the port of its service is not valid';
  if (isIP(address) === 0 || port < 1 || port > 65_535)
    return 'its address must be an IP address with a port';
  const pairs = Object.entries(labels);
  if (pairs.length > maxLabels || pairs.some((pair) => pair.some((text) => text.length > maxLabelLength)))
    return 'it has too many labels, or labels that are too long';
  return null;
}
