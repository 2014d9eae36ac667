// RFC 9110, 5.6.2 and 5.5: what names and values of fields may hold.
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Whether text may be a header's name. */
export function isHeaderName(text: string): boolean {
  return token.test(text);
}

/** Whether text may be a header's value: no control characters, so that it can't end the line it stands in. */
export function isHeaderValue(text: string): boolean {
  return fieldValue.test(text);
}

const badCharacters = /[^\t\x20-\x7e\x80-\xff]/g;

/** `text` as a header's value: with `_` for every character that none may hold. */
export function headerValueOf(text: string): string {
  return isHeaderValue(text) ? text : text.replaceAll(badCharacters, '_');
}
