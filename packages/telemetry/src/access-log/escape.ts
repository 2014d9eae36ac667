// Hot path.
// Printable ASCII but the quote and the backslash.
const needsEscape = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;
const escaped = /[^\x20\x21\x23-\x5b\x5d-\x7e]/g;
const needsJsonEscape = /[\x7f-\x9f]/;
const jsonEscaped = /[\x7f-\x9f]/g;

function hexEscape(character: string): string {
  const code = character.charCodeAt(0);
  return code <= 0xff
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

/**
 * Makes a value safe for a text log: whoever sends a request must not be able to start a new line, end a quoted field or
 * send escape sequences to the terminal of whoever reads it. As nginx does, `\xHH` stands for what is not printable ASCII.
 */
export function escapeText(value: string): string {
  return needsEscape.test(value) ? value.replaceAll(escaped, hexEscape) : value;
}

/** A JSON string, with the control characters that `JSON.stringify` leaves alone escaped too. */
export function quoteJson(value: string): string {
  const json = JSON.stringify(value);
  if (!needsJsonEscape.test(json)) return json;
  return json.replaceAll(jsonEscaped, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}
