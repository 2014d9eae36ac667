// `/logging`: shows and moves the levels of logs.
import {
  envoyLogLevels,
  type EnvoyLogLevel,
  type LoggerName,
  loggerNames,
  parseLogLevel,
} from '../stack/loggers.ts';
import { type AdminResponse, BadAdminRequest, textResponse } from './admin-message.ts';

const usage = `usage: /logging?<name>=<level> (change single level)
usage: /logging?paths=name1:level1,name2:level2,... (change multiple levels)
usage: /logging?level=<level> (change all levels)
levels: ${envoyLogLevels.join(' ')}
`;

type Levels = readonly (readonly [name: LoggerName, level: EnvoyLogLevel])[];

/** Answers `POST /logging`; `setLevel` moves one level, or all where the name is null. */
export function loggingPage(
  query: URLSearchParams,
  levels: () => Levels,
  setLevel: (name: LoggerName | null, level: EnvoyLogLevel) => void,
): AdminResponse {
  // All are read before one is moved: a mistake changes nothing.
  for (const [name, level] of readChanges(query)) setLevel(name, level);
  const lines = levels().map(([name, level]) => `  ${name}: ${level}\n`);
  return textResponse(`active loggers:\n${lines.join('')}`);
}

function readChanges(query: URLSearchParams): (readonly [LoggerName | null, EnvoyLogLevel])[] {
  const changes: (readonly [LoggerName | null, EnvoyLogLevel])[] = [];
  for (const [key, value] of query) {
    if (key === 'level') {
      changes.push([null, readLevel(value)]);
    } else if (key === 'paths') {
      for (const pair of value.split(',')) {
        const [name = '', level = ''] = pair.split(':');
        changes.push([readName(name), readLevel(level)]);
      }
    } else {
      changes.push([readName(key), readLevel(value)]);
    }
  }
  return changes;
}

function readLevel(text: string): EnvoyLogLevel {
  const level = parseLogLevel(text);
  if (level === null) throw new BadAdminRequest(`error: unknown logger level\n\n${usage}`);
  return level;
}

function readName(text: string): LoggerName {
  const name = loggerNames.find((candidate) => candidate === text);
  if (name === undefined)
    throw new BadAdminRequest(
      `error: unknown logger name ${text}, there are ${loggerNames.join(', ')}\n\n${usage}`,
    );
  return name;
}
