import { computed, effect, signal } from '@preact/signals';
import { ApiClient, type Answer } from '../api/client.ts';
import { TrafficStream } from '../api/traffic-stream.ts';
import type {
  CertificatesResponse,
  EndpointsResponse,
  ProxiesResponse,
  ResourcesResponse,
  ServicesResponse,
  StatusResponse,
  TrafficResponse,
} from '../generated/api.ts';
import { browserClock } from '../platform/clock.ts';
import { HISTORY_SECONDS, TrafficHistory } from '../traffic/traffic-history.ts';
import { Connection } from './connection.ts';
import { Poller } from './poller.ts';

// Wires the parts together: one client, one connection and one history for the tab's whole life.

/**
 * Whether somebody is logged in. `checking`: not known yet, which lasts while the control plane does not answer.
 * `notice` says why the login is asked for, where that isn't obvious.
 */
export type Session =
  | { readonly name: 'checking' }
  | { readonly name: 'signed-out'; readonly notice: string }
  | { readonly name: 'signed-in' };

export const session = signal<Session>({ name: 'checking' });

const client = new ApiClient((url, options) => fetch(url, options));

/** Whether the tab is in front of somebody; nothing is asked for while it isn't. */
const isVisible = signal(document.visibilityState === 'visible');
document.addEventListener('visibilitychange', () => {
  isVisible.value = document.visibilityState === 'visible';
});

/** Resolves at once where the tab is visible, else when it becomes so. */
function whenVisible(): Promise<void> {
  return new Promise((resolve) => {
    const stop = isVisible.subscribe((visible) => {
      if (!visible) return;
      resolve();
      queueMicrotask(() => stop());
    });
  });
}

export const connection = new Connection(browserClock, async () => {
  // Also a control plane that was lost is not looked for on behalf of nobody.
  await whenVisible();
  const answer = await client.get<StatusResponse>('/api/v1/status');
  return answer.ok || answer.failure.kind !== 'unreachable';
});

const isActive = computed(
  () => session.value.name === 'signed-in' && isVisible.value && connection.state.value.name === 'live',
);

/** Now, to the second; stands still while the tab is hidden. */
export const nowMs = signal(browserClock.now());
effect(() => {
  if (!isVisible.value) return undefined;
  let wait = { cancel: (): void => {} };
  const tick = (): void => {
    nowMs.value = browserClock.now();
    wait = browserClock.wait(1000, tick);
  };
  tick();
  return () => {
    wait.cancel();
  };
});

async function ask<T>(path: string): Promise<Answer<T>> {
  const answer = await client.get<T>(path);
  if (!answer.ok) {
    if (answer.failure.kind === 'unreachable') connection.reportLost();
    if (answer.failure.kind === 'unauthorized') endSession('Your session has ended. Log in again.');
  }
  return answer;
}

function poll<T>(path: string, intervalMs: number): Poller<T> {
  return new Poller<T>(() => ask<T>(path), intervalMs, isActive, browserClock);
}

export const status = poll<StatusResponse>('/api/v1/status', 2000);
export const services = poll<ServicesResponse>('/api/v1/services', 1000);
export const endpoints = poll<EndpointsResponse>('/api/v1/endpoints', 2000);
export const proxies = poll<ProxiesResponse>('/api/v1/proxies', 2000);
export const certificates = poll<CertificatesResponse>('/api/v1/certificates', 5000);
export const virtualServices = poll<ResourcesResponse>('/api/v1/resources/virtualservices', 3000);
export const destinationRules = poll<ResourcesResponse>('/api/v1/resources/destinationrules', 3000);

const POLLERS = [status, services, endpoints, proxies, certificates, virtualServices, destinationRules];

export const history = new TrafficHistory();
/** Grows whenever `history` has changed; read it to be told. */
export const historyVersion = signal(0);
/** Whether traffic arrives each second. */
export const isStreamLive = signal(false);

const stream = new TrafficStream(
  () => new EventSource('/api/v1/traffic/stream'),
  (event) => {
    history.append(event);
    historyVersion.value++;
  },
  (isLive) => {
    isStreamLive.value = isLive;
    if (isLive) void loadHistory();
  },
  browserClock,
);

effect(() => {
  if (!isActive.value) return undefined;
  stream.start();
  return () => {
    stream.stop();
    isStreamLive.value = false;
  };
});

async function loadHistory(): Promise<void> {
  const answer = await ask<TrafficResponse>(`/api/v1/traffic?seconds=${HISTORY_SECONDS}`);
  if (!answer.ok) return;
  history.load(answer.value);
  historyVersion.value++;
}

/** A token that could not be tried yet because nobody answered. */
let waitingToken: string | null = null;
let hasBegun = false;

/** Finds out whether somebody is logged in, by the token in the page's address or by an earlier session. */
export function beginSession(token: string | null): void {
  hasBegun = true;
  if (token !== null) waitingToken = token;
  session.value = { name: 'checking' };
  void resumeSession();
}

// While nobody answers, a session cannot be judged: try again when somebody does.
effect(() => {
  const isAnswering = connection.state.value.name === 'live';
  if (isAnswering && hasBegun && session.peek().name === 'checking') void resumeSession();
});

async function resumeSession(): Promise<void> {
  if (waitingToken !== null) {
    const failure = await logIn(waitingToken);
    if (failure !== null && session.peek().name === 'checking' && connection.state.peek().name === 'live') {
      waitingToken = null;
      session.value = { name: 'signed-out', notice: failure };
    }
    return;
  }
  const answer = await client.get<StatusResponse>('/api/v1/status');
  if (answer.ok) session.value = { name: 'signed-in' };
  else if (answer.failure.kind === 'unreachable') connection.reportLost();
  else if (session.peek().name === 'checking') {
    const notice = answer.failure.kind === 'unauthorized' ? '' : answer.failure.message;
    session.value = { name: 'signed-out', notice };
  }
}

/** Logs in; returns null, or what went wrong in a sentence. */
export async function logIn(token: string): Promise<string | null> {
  const answer = await client.post('/api/v1/login', { token });
  if (answer.ok) {
    waitingToken = null;
    session.value = { name: 'signed-in' };
    return null;
  }
  const { failure } = answer;
  if (failure.kind === 'unreachable') connection.reportLost();
  return failure.hint === undefined ? failure.message : `${failure.message} ${failure.hint}`;
}

/** Logs out, here and at the control plane. */
export async function logOut(): Promise<void> {
  await client.post('/api/v1/logout', {});
  endSession('');
}

function endSession(notice: string): void {
  if (session.peek().name !== 'signed-in') return;
  session.value = { name: 'signed-out', notice };
  history.clear();
  historyVersion.value++;
  for (const poller of POLLERS) poller.forget();
}
