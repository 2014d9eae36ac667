// Reads the values of flags. Every function throws an Error whose message completes "--flag: …".
import { isIP } from 'node:net';
import type { BindAddress } from '@heddle/proxy';
import type { EnvoyLogLevel } from '@heddle/proxy/loggers';
import type { Upstream } from './supervisor/workload-options.ts';

const dnsLabel = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A port that something listens on: 1 to 65535. */
export function parsePort(input: string): number {
  const port = /^\d{1,5}$/.test(input) ? Number(input) : 0;
  if (port < 1 || port > 65_535) throw new Error(`'${input}' is no port, a number from 1 to 65535`);
  return port;
}

/** A port or 0, which means none or any, as the flag's text says. */
export function parsePortOrZero(input: string): number {
  return input === '0' ? 0 : parsePort(input);
}

/** The name of a service, namespace or service account: one label of a DNS name. */
export function parseName(input: string): string {
  if (!dnsLabel.test(input)) {
    throw new Error(
      `'${input}' is no name: use a-z, 0-9 and '-', beginning and ending with a letter or digit`,
    );
  }
  return input;
}

/** `8080`, `0.0.0.0:8080` or `[::]:8080`; a port alone means `defaultAddress`. */
export function parseBindAddress(input: string, defaultAddress: string): BindAddress {
  const separator = input.lastIndexOf(':');
  if (separator < 0) return { address: defaultAddress, port: parsePort(input) };
  const host = input.slice(0, separator);
  const address = host === 'localhost' ? '127.0.0.1' : host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) === 0) throw new Error(`'${input}' is no address: write IP:PORT, or a port alone`);
  return { address, port: parsePort(input.slice(separator + 1)) };
}

/** `host:port` of another process, the host a name or an address. */
export function parseHostPort(input: string): string {
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/.exec(input);
  if (match === null) throw new Error(`'${input}' is no HOST:PORT`);
  parsePort(match[2]!);
  return input;
}

/** An IP address of this machine. */
export function parseIpAddress(input: string): string {
  if (isIP(input) === 0) throw new Error(`'${input}' is no IP address`);
  return input;
}

/** Where others reach something; the port is null where it is the one that is bound. */
export interface AdvertisedAddress {
  readonly address: string;
  readonly port: number | null;
}

/** `10.0.0.5`, `10.0.0.5:25001`, `fd00::5` or `[fd00::5]:25001`. */
export function parseAdvertisedAddress(input: string): AdvertisedAddress {
  if (isIP(input) !== 0) return { address: input, port: null };
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([\d.]+)):(\d{1,5})$/.exec(input);
  const address = match?.[1] ?? match?.[2] ?? '';
  if (isIP(address) === 0) throw new Error(`'${input}' is no address: write IP or IP:PORT`);
  return { address, port: parsePort(match![3]!) };
}

const labelValue = /^(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?$/;
const labelValueRule =
  "at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit";

/** `key=value` with Kubernetes' rules for labels. */
export function parseLabel(input: string): readonly [string, string] {
  const separator = input.indexOf('=');
  const key = input.slice(0, separator);
  const value = input.slice(separator + 1);
  const isKey = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/.test(key);
  if (separator < 0 || !isKey) throw new Error(`'${input}' is no label: write key=value`);
  if (!labelValue.test(value)) {
    throw new Error(`'${value}' is no value of a label: use ${labelValueRule}`);
  }
  return [key, value];
}

/** A label's value, such as a version. */
export function parseLabelValue(input: string): string {
  if (!labelValue.test(input)) throw new Error(`'${input}' can't be a label: use ${labelValueRule}`);
  return input;
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30s`, `1.5m`, `500ms`, `2h` in milliseconds. */
export function parseDurationMs(input: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(input);
  const unit = unitsMs[match?.[2] ?? ''];
  if (match === null || unit === undefined)
    throw new Error(`'${input}' is no duration: write 500ms, 30s, 5m, 1h or 7d`);
  return Number(match[1]) * unit;
}

/** A whole number of at least one. */
export function parseCount(input: string): number {
  if (!/^[1-9]\d{0,8}$/.test(input)) throw new Error(`'${input}' is no whole number of at least 1`);
  return Number(input);
}

/** A revision of the configuration; 0 is before the first change. */
export function parseRevision(input: string): number {
  if (!/^(?:0|[1-9]\d{0,8})$/.test(input))
    throw new Error(`'${input}' is no revision: write 0 or a whole number above it`);
  return Number(input);
}

/**
 * `ratings:9080`, `ratings.prod:9080` or `ratings.prod.svc.cluster.local:9080`. A name without namespace belongs to the
 * caller's, as Istio expands short names.
 */
export function parseUpstream(input: string, namespace: string): Upstream {
  const separator = input.lastIndexOf(':');
  if (separator <= 0) throw new Error(`'${input}' names no port: write SERVICE:PORT, such as ratings:9080`);
  const port = parsePort(input.slice(separator + 1));
  const name = input.slice(0, separator).replace(/\.svc(?:\.cluster\.local)?$/, '');
  const labels = name.split('.');
  if (labels.length > 2 || !labels.every((label) => dnsLabel.test(label))) {
    throw new Error(`'${input}' is no service: write SERVICE:PORT or SERVICE.NAMESPACE:PORT`);
  }
  const [service, ownNamespace = namespace] = labels;
  return { name, host: `${service}.${ownNamespace}.svc.cluster.local`, port };
}

/** A number of seconds, in milliseconds. */
export function parseSeconds(input: string): number {
  if (!/^\d{1,9}$/.test(input)) throw new Error(`'${input}' is no number of seconds`);
  return Number(input) * 1000;
}

function parseOneOf<T extends string>(input: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === input);
  if (choice === undefined) throw new Error(`'${input}' is none of ${choices.join(', ')}`);
  return choice;
}

/** What `heddle proxy` does with its configuration. */
export function parseServeMode(input: string): 'serve' | 'validate' {
  return parseOneOf(input, ['serve', 'validate']);
}

/** How clients are asked to go elsewhere. */
export function parseDrainStrategy(input: string): 'gradual' | 'immediate' {
  return parseOneOf(input, ['gradual', 'immediate']);
}

/** A level of logs under Envoy's name; `warn` is `warning`. */
export function parseEnvoyLogLevel(input: string): EnvoyLogLevel {
  return parseOneOf(input === 'warn' ? 'warning' : input, [
    'trace',
    'debug',
    'info',
    'warning',
    'error',
    'critical',
    'off',
  ]);
}
