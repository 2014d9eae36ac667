import { fileURLToPath } from 'node:url';
import type { NetworkNamespace } from './network-namespace.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly udp?: boolean;
}

/** Servers that greet with `label`. `redirected`: they ask connection tracking what callers meant. */
export interface ListenOrder {
  readonly label: string;
  readonly redirected: boolean;
  readonly tcp: readonly Target[];
  readonly udp: readonly Target[];
  /** Servers of HTTP, which tell whom they were asked as, and whether a proxy has asked. */
  readonly http?: readonly Target[];
}

/** Connections to make, as this user and group. */
export interface ProbeOrder {
  readonly uid?: number;
  readonly gid?: number;
  readonly targets: readonly Target[];
}

const agent = fileURLToPath(new URL('agent.ts', import.meta.url));

/** Starts servers in a namespace, which end with `stack`; resolves when they listen. */
export async function listenIn(
  stack: AsyncDisposableStack,
  namespace: NetworkNamespace,
  order: ListenOrder,
): Promise<void> {
  const words = [process.execPath, agent, 'listen', JSON.stringify(order)];
  await stack.use(await namespace.start(words)).line(/^listening$/);
}

/** Who answers each target. */
export async function probeFrom(namespace: NetworkNamespace, order: ProbeOrder): Promise<readonly string[]> {
  const child = await namespace.run([process.execPath, agent, 'probe', JSON.stringify(order)]);
  if (child.exit?.code !== 0) throw new Error(child.output);
  return JSON.parse(child.stdout) as readonly string[];
}
