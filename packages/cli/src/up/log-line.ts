import { styleText } from 'node:util';

const levels: Readonly<Record<number, readonly ['dim' | 'yellow' | 'red', string]>> = {
  20: ['dim', 'debug'],
  30: ['dim', 'info'],
  40: ['yellow', 'warning'],
  50: ['red', 'error'],
};
const ownFields = new Set(['level', 'time', 'msg']);

/** Turns a log line (JSON) into one for people: time, level, message, fields. */
export function renderLogLine(line: string): string {
  const entry = JSON.parse(line) as Record<string, unknown>;
  const [format, name] = levels[Number(entry['level'])] ?? levels[30]!;
  const time = new Date(Number(entry['time'])).toTimeString().slice(0, 8);
  const fields = Object.entries(entry)
    .filter(([key, value]) => !ownFields.has(key) && value !== undefined)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const label = styleText(format, `${name}:`, { stream: process.stderr });
  return `${[time, label, String(entry['msg']), ...fields].join(' ')}\n`;
}
