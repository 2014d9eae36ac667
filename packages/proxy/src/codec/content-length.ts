// Hot path.
/**
 * The number in a Content-Length value, or -1 where it is not 1 to 15 digits: no sign, no list, no zeros in front (octal to
 * some), nothing that another parser might read differently (RFC 9112 §6.3; 15 digits stay exact in a double).
 */
export function parseContentLength(value: string): number {
  const digits = value.length;
  if (digits === 0 || digits > 15 || (digits > 1 && value.charCodeAt(0) === 0x30)) return -1;
  let number = 0;
  for (let i = 0; i < digits; i++) {
    const digit = value.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}
