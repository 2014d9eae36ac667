import { err, errorMessage, ok, type Result } from '@heddle/base';

/** Longer patterns are no questions that a person asks. */
const maxPatternLength = 1024;
/** V8's flag for the engine that does not backtrack. */
const linearFlag = 'l';
const everything = /(?:)/;
let isEnabled = false;

/**
 * Compiles a regular expression that is tried in time linear to the text, as RE2 does: the thread that would wait for a
 * backtracking one is the thread that serves traffic. Refuses what needs backtracking (back references, look-around).
 */
export function safePattern(source: string): Result<RegExp, string> {
  if (source === '') return ok(everything);
  if (source.length > maxPatternLength) return err(`longer than ${maxPatternLength} characters`);
  if (!isEnabled) {
    isEnabled = true;
    // Not imported: most proxies are never asked with a pattern.
    process.getBuiltinModule('node:v8').setFlagsFromString('--enable-experimental-regexp-engine');
  }
  try {
    return ok(new RegExp(source, linearFlag));
  } catch (error) {
    return err(errorMessage(error));
  }
}
