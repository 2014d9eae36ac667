import { writeSync } from 'node:fs';
import { type Clock, systemClock } from './clock.ts';

/** pino's level numbers, so that its tools read our lines. */
export const LogLevel = { debug: 20, info: 30, warn: 40, error: 50, off: 100 } as const;
export type LogLevelName = keyof typeof LogLevel;

/** Fields of a log line. Values are names, numbers and sentences; never keys, tokens or bodies. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Writes JSON lines with pino's field names (`level`, `time`, `msg`). */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines carry these fields too. */
  child(fields: LogFields): Logger;
}

/** The least level that is written: shared by loggers, and raised or lowered while they are in use. */
export class LogThreshold {
  level: LogLevelName;

  constructor(level: LogLevelName) {
    this.level = level;
  }
}

export interface LoggerOptions {
  /** `info` where it is absent. */
  readonly level?: LogLevelName | LogThreshold;
  readonly clock?: Clock;
  /** Takes one line, newline included; the default writes it to standard error at once. */
  readonly sink?: (line: string) => void;
  readonly fields?: LogFields;
}

function writeToStandardError(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    // A closed or full pipe must not take the proxy down; there is nowhere left to say so.
  }
}

/** Makes a logger. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info' } = options;
  const threshold = level instanceof LogThreshold ? level : new LogThreshold(level);
  const clock = options.clock ?? systemClock;
  const sink = options.sink ?? writeToStandardError;
  const bound = options.fields ?? {};
  const write = (severity: number, msg: string, fields: LogFields | undefined): void => {
    if (severity < LogLevel[threshold.level]) return;
    sink(`${JSON.stringify({ level: severity, time: clock.now(), msg, ...bound, ...fields })}\n`);
  };
  return {
    debug: (message, fields) => write(LogLevel.debug, message, fields),
    info: (message, fields) => write(LogLevel.info, message, fields),
    warn: (message, fields) => write(LogLevel.warn, message, fields),
    error: (message, fields) => write(LogLevel.error, message, fields),
    child: (fields) => createLogger({ ...options, fields: { ...bound, ...fields } }),
  };
}

/** Swallows everything. */
export const silentLogger: Logger = createLogger({ level: 'off' });
