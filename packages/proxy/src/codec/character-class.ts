// Hot path.
/** Which bytes may stand where in a head (RFC 9110 §5.6.2, §5.5; RFC 3986 for the target). One look-up a byte. */

/** tchar: methods and field names. */
export const isTokenCharacter = new Uint8Array(256);
/** field-vchar, SP, HTAB and obs-text: field values. No other control character, no DEL. */
export const isFieldValueCharacter = new Uint8Array(256);
/** Visible ASCII without `#`, quotes, angle brackets, backslash, `^`, backquote and braces are let through as Envoy does; no CTL, no SP. */
export const isTargetCharacter = new Uint8Array(256);

for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  isTokenCharacter[character.charCodeAt(0)] = 1;
}
for (let byte = 0x20; byte < 0x7f; byte++) isFieldValueCharacter[byte] = 1;
for (let byte = 0x80; byte <= 0xff; byte++) isFieldValueCharacter[byte] = 1;
isFieldValueCharacter[0x09] = 1;
// A fragment never travels in a request (RFC 9112 §3.2): `#` stays out. Bytes above ASCII are no part of a URI.
for (let byte = 0x21; byte < 0x7f; byte++) if (byte !== 0x23) isTargetCharacter[byte] = 1;
