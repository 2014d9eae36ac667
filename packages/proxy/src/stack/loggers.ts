import { createLogger, type Logger, LogThreshold, type LogLevelName } from '@heddle/base';

/** The parts of a proxy whose logs have levels of their own. */
export const loggerNames = ['main', 'config', 'connection', 'listener', 'access_log', 'xds'] as const;
export type LoggerName = (typeof loggerNames)[number];

/** Envoy's names of levels and what they are here. */
const levels = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  error: 'error',
  critical: 'error',
  off: 'off',
} as const satisfies Record<string, LogLevelName>;

/** A level under Envoy's name. */
export type EnvoyLogLevel = keyof typeof levels;
export const envoyLogLevels = Object.keys(levels) as readonly EnvoyLogLevel[];

/** Envoy's name of a level as people write it (`warn` too); null where there is no such level. */
export function parseLogLevel(text: string): EnvoyLogLevel | null {
  const name = text.toLowerCase() === 'warn' ? 'warning' : text.toLowerCase();
  return envoyLogLevels.find((level) => level === name) ?? null;
}

/** Gives the parts of a proxy their loggers. */
export interface LoggerSource {
  get(name: LoggerName): Logger;
}

/** The loggers of one thread, by name; `/logging` moves their levels while the proxy runs. */
export class Loggers implements LoggerSource {
  private readonly named: ReadonlyMap<
    LoggerName,
    { readonly logger: Logger; readonly threshold: LogThreshold; level: EnvoyLogLevel }
  >;

  /** `sink` takes a line; the default writes it to standard error. */
  constructor(
    level: EnvoyLogLevel,
    fields: Readonly<Record<string, string>> = {},
    sink?: (line: string) => void,
  ) {
    const entry = (component: LoggerName) => {
      const threshold = new LogThreshold(levels[level]);
      const named = { ...fields, component };
      const logger = createLogger({
        level: threshold,
        fields: named,
        ...(sink === undefined ? {} : { sink }),
      });
      return [component, { logger, threshold, level }] as const;
    };
    this.named = new Map(loggerNames.map(entry));
  }

  get(name: LoggerName): Logger {
    return this.named.get(name)!.logger;
  }

  /** Moves one level, or all of them where `name` is null. */
  setLevel(name: LoggerName | null, level: EnvoyLogLevel): void {
    for (const [key, entry] of this.named) {
      if (name !== null && key !== name) continue;
      entry.level = level;
      entry.threshold.level = levels[level];
    }
  }

  /** Names and levels in force. */
  get levels(): readonly (readonly [name: LoggerName, level: EnvoyLogLevel])[] {
    return [...this.named].map(([name, { level }]) => [name, level]);
  }
}
