import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemErrorCode } from '@heddle/base';
import { AccessLogOpenError, standardStreams } from '../access-log/log-file.ts';
import { allChains, type ListenerConfig } from '../config/listener-config.ts';
import type { EndpointPool } from '../cluster/endpoint.ts';

/** The access logs of a listener that could not be opened, each path once. Nothing is created to find out. */
export function unopenableLogs(listener: ListenerConfig<EndpointPool>): readonly AccessLogOpenError[] {
  const logs = [
    ...listener.accessLogs,
    ...allChains(listener).flatMap(({ filter }) =>
      filter.kind === 'http' ? filter.http.accessLogs : filter.tcp.accessLogs,
    ),
  ];
  return [...new Set(logs.map(({ path }) => path))]
    .map((path) => tryPath(path))
    .filter((failure) => failure !== null);
}

function tryPath(path: string): AccessLogOpenError | null {
  if (standardStreams[path] !== undefined) return null;
  try {
    if (statSync(path).isDirectory()) throw Object.assign(new Error('a directory'), { code: 'EISDIR' });
    accessSync(path, constants.W_OK);
  } catch (cause) {
    if (systemErrorCode(cause) !== 'ENOENT') return new AccessLogOpenError(path, cause);
    try {
      accessSync(dirname(path), constants.W_OK | constants.X_OK);
    } catch (reason) {
      return new AccessLogOpenError(path, reason);
    }
  }
  return null;
}
