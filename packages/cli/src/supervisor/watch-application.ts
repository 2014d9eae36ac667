// Looks at a running application a few times and warns about what would surprise its user later.
import type { Clock } from '@heddle/base';
import { delay } from './delay.ts';
import { inspectProcessTree, isLoopback, type ProcessTreeView, type TcpSocket } from './process-inspector.ts';
import { proxyDeafness } from './proxy-support.ts';
import { neighbourPorts } from './sidecar-directory.ts';
import type { WorkloadOutput } from './workload-options.ts';

export interface WatchOptions {
  /** The application's process id and session. */
  readonly pid: number;
  readonly instance: string;
  readonly appPort: number;
  /** Nobody calls it, so it need not listen. */
  readonly isCalled: boolean;
  /** Whether its runtime needs no more judging: it has been warned about, or proxy variables don't matter to it. */
  readonly isJudged: Promise<boolean>;
  /** Others come to it, not to a sidecar: it has their certificates shown to itself. */
  readonly isOwnProxy: boolean;
  readonly store: string;
  readonly isPublished: () => boolean;
  readonly output: WorkloadOutput;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * When to look, in milliseconds after the application's start. Early, because that is when somebody reads along; a few
 * times later, because connections and listeners come late. Looking costs some milliseconds and then nothing.
 */
const looksAtMs = [500, 1_500, 4_000, 10_000, 20_000, 40_000, 60_000];
/** Before this an application is simply not up yet. */
const wrongPortAfterMs = 4_000;

function describe(socket: TcpSocket): string {
  const host = socket.localAddress.includes(':') ? `[${socket.localAddress}]` : socket.localAddress;
  return `${host}:${socket.localPort}`;
}

/** One sentence and one hint. */
export interface Finding {
  /** The same finding is told once. */
  readonly key: string;
  readonly message: string;
  readonly hint: string;
}

/** Sockets on which others on the network could reach the application without its sidecar. */
export function openListeners(view: ProcessTreeView): readonly Finding[] {
  return view.sockets
    .filter((socket) => socket.state === 'listen' && !isLoopback(socket.localAddress))
    .map((socket) => ({
      key: `open ${socket.localPort}`,
      message: `the application listens on ${describe(socket)}, so others could reach it past its sidecar`,
      hint: 'let it listen on 127.0.0.1; browsers are let in with --expose',
    }));
}

/** An application that listens, but not where its sidecar calls it. */
export function wrongPort(view: ProcessTreeView, appPort: number): Finding | null {
  const listeners = view.sockets.filter((socket) => socket.state === 'listen');
  if (listeners.length === 0) {
    return {
      key: 'silent',
      message: `the application doesn't listen on port ${appPort} yet, so it isn't published`,
      hint: 'it finds its port in PORT, or in its arguments where they say {{port}}',
    };
  }
  const reachable = listeners.some(
    ({ localPort, localAddress }) => localPort === appPort && localAddress !== '::1',
  );
  if (reachable) return null;
  const [first] = listeners;
  const hint =
    first!.localPort === appPort
      ? "let it listen on 127.0.0.1 instead of 'localhost'"
      : `give it its port with {{port}} in its arguments, or tell Heddle: --app-port ${first!.localPort}`;
  return {
    key: 'wrong port',
    message: `the application listens on ${describe(first!)} and not on 127.0.0.1:${appPort}, so it isn't published`,
    hint,
  };
}

/** Connections that lead to a neighbour's own ports, without the mesh between. */
export function straightConnections(
  view: ProcessTreeView,
  neighbours: ReadonlyMap<number, string>,
): readonly Finding[] {
  return view.sockets
    .filter(({ state, remoteAddress }) => state === 'established' && isLoopback(remoteAddress))
    .flatMap(({ remotePort }) => {
      const service = neighbours.get(remotePort);
      if (service === undefined) return [];
      return [
        {
          key: `straight ${service}`,
          message: `the application has connected straight to ${service} (port ${remotePort}), past the mesh`,
          hint: `--upstream ${service}:PORT gives it an address that leads through its sidecar`,
        },
      ];
    });
}

async function deafRuntimes(view: ProcessTreeView): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const executable of view.executables) {
    const deafness = await proxyDeafness(executable);
    if (deafness !== null) findings.push({ key: `deaf ${deafness.message}`, ...deafness });
  }
  return findings;
}

/** Watches until the looks are over or the signal is aborted. */
export async function watchApplication(options: WatchOptions): Promise<void> {
  const { clock, signal, output } = options;
  const told = new Set<string>();
  const startedAt = clock.monotonic();
  for (const lookAtMs of looksAtMs) {
    await delay(clock, startedAt + lookAtMs - clock.monotonic(), signal);
    if (signal.aborted) return;
    const view = await inspectProcessTree(options.pid);
    if (view === null) return;
    const findings = options.isOwnProxy ? [] : [...openListeners(view)];
    findings.push(...straightConnections(view, await neighbourPorts(options.store, options.instance)));
    if (!(await options.isJudged)) findings.push(...(await deafRuntimes(view)));
    if (options.isCalled && !options.isPublished() && lookAtMs >= wrongPortAfterMs) {
      const finding = wrongPort(view, options.appPort);
      if (finding !== null) findings.push(finding);
    }
    for (const { key, message, hint } of findings) {
      if (told.has(key) || signal.aborted) continue;
      told.add(key);
      output.warning(message, hint);
    }
  }
}
