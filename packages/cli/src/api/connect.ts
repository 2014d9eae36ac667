// Speaks with a control plane's HTTP API.
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import type { ApiErrorBody, ApiProblem } from '@heddle/control-plane';
import { systemErrorCode } from '@heddle/base';
import { CliError } from '../cli-error.ts';
import type { ConnectionFlags } from '../commands/connection-flags.ts';
import { shellWord } from '../output/shell-word.ts';
import { isProcessAlive } from '../process-alive.ts';
import { type ControlPlaneFile, readControlPlaneFile } from '../store/control-plane-file.ts';
import { findStore } from '../store/find-store.ts';

/** What the control plane refused, with all the reasons. */
export class RefusedError extends CliError {
  readonly problems: readonly ApiProblem[];

  constructor(code: string, message: string, hint: string, problems: readonly ApiProblem[]) {
    super(code, message, { hint });
    this.problems = problems;
  }
}

/** A control plane's API, once it is known where it is and what token it wants. */
export interface Api {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  delete(path: string): Promise<void>;
}

const timeoutMs = 30_000;

/** Where the API is, with what token, and what to say when nobody answers. */
interface Target {
  readonly origin: string;
  readonly token: string;
  readonly absent: { readonly message: string; readonly hint: string };
}

function unreachable(message: string, hint: string): CliError {
  return new CliError('HEDDLE_CONTROL_PLANE_UNREACHABLE', message, { hint });
}

function namedTarget(origin: string): Target {
  const token = (process.env['HEDDLE_TOKEN'] ?? '').trim();
  if (token === '') {
    throw new CliError('HEDDLE_NO_TOKEN', `--server ${origin} needs a token, and HEDDLE_TOKEN is not set`, {
      hint: 'it is in the file admin-token of the control plane\'s store: HEDDLE_TOKEN="$(cat …/admin-token)"',
    });
  }
  const hint = 'is it the right address, and does the control plane run there?';
  return { origin, token, absent: { message: `no control plane answers at ${origin}`, hint } };
}

async function storedTarget(store: string): Promise<Target> {
  const state = await readControlPlaneFile(store);
  if (state === 'denied') {
    throw new CliError('HEDDLE_STORE_DENIED', `this user may not read the store ${store}`, {
      hint: 'run as the user who ran `heddle up`, or use --server and HEDDLE_TOKEN',
    });
  }
  if (state === 'damaged') {
    throw new CliError('HEDDLE_STORE_CORRUPT', `${store}/control-plane.json is damaged`, {
      hint: 'start the control plane again: it writes the file anew',
    });
  }
  if (state === 'absent') {
    throw unreachable(
      `no control plane has been started here: there is no mesh in ${store}`,
      'start one with `heddle up`, or name one with --server',
    );
  }
  if (state === 'stopped') {
    throw unreachable(
      `the control plane of ${store} is not running`,
      `start it: heddle up --store ${shellWord(store)}`,
    );
  }
  const token = await readFile(join(store, 'admin-token'), 'utf8').catch((error: unknown) => {
    throw new CliError('HEDDLE_NO_TOKEN', `can't read ${store}/admin-token (${systemErrorCode(error)})`, {
      hint: 'run as the user who ran `heddle up`',
    });
  });
  return { origin: `http://${state.apiAddress}`, token: token.trim(), absent: whyAbsent(store, state) };
}

function whyAbsent(store: string, file: ControlPlaneFile): Target['absent'] {
  const which = `the control plane of ${store} does not answer at ${file.apiAddress}`;
  if (isProcessAlive(file.pid)) {
    return { message: which, hint: `its process ${file.pid} runs: look at what it prints` };
  }
  return { message: `${which}: it has ended`, hint: `start it again: heddle up --store ${shellWord(store)}` };
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function refusal(status: number, body: string, origin: string): CliError {
  try {
    const { error } = JSON.parse(body) as ApiErrorBody;
    const hint =
      status === 401
        ? 'the token is revoked or has expired, or belongs to another control plane'
        : (error.hint ?? '');
    return new RefusedError(error.code, error.message, hint, error.problems ?? []);
  } catch {
    return new CliError('HEDDLE_API_UNEXPECTED', `${origin} answered ${status} without saying why`, {
      hint: 'is it a Heddle control plane?',
    });
  }
}

async function exchange<T>(
  target: Target,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<T> {
  const url = new URL(path, target.origin);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = send(url, {
    method,
    headers: {
      authorization: `Bearer ${target.token}`,
      accept: 'application/json',
      ...(payload === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
    },
    timeout: timeoutMs,
    agent: false,
  });
  request.once('response', resolve);
  request.once('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
  request.once('error', reject);
  request.end(payload);
  let response: IncomingMessage;
  let text: string;
  try {
    response = await promise;
    text = await readBody(response);
  } catch (error) {
    const code = systemErrorCode(error);
    const reason = code === 'ECONNREFUSED' ? '' : ` (${code === '' ? String(error) : code})`;
    throw unreachable(`${target.absent.message}${reason}`, target.absent.hint);
  }
  const status = response.statusCode ?? 0;
  if (status >= 400) throw refusal(status, text, target.origin);
  try {
    return (text === '' ? undefined : JSON.parse(text)) as T;
  } catch {
    throw new CliError('HEDDLE_API_UNEXPECTED', `${target.origin} did not answer with JSON`, {
      hint: 'is it a Heddle control plane?',
    });
  }
}

/** Finds the control plane that a command means; nothing is sent yet. */
export async function connectApi(flags: ConnectionFlags): Promise<Api> {
  const target =
    flags.server === undefined ? await storedTarget(findStore(flags.store)) : namedTarget(flags.server);
  return {
    get: async (path) => await exchange(target, 'GET', path),
    post: async (path, body) => await exchange(target, 'POST', path, body),
    delete: async (path) => await exchange(target, 'DELETE', path),
  };
}
