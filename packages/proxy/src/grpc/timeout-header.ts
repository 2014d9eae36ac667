// Hot path.
// The value of `grpc-timeout` (gRPC over HTTP/2, "Timeout"): one to eight digits and a unit.

const mostDigits = 8;
const largest = 99_999_999;

/** Milliseconds, a part of one counting as a whole; -1 for what is no timeout, which is as good as none. */
export function parseGrpcTimeout(value: string): number {
  const digits = value.length - 1;
  if (digits < 1 || digits > mostDigits) return -1;
  let number = 0;
  for (let i = 0; i < digits; i++) {
    const digit = value.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  switch (value[digits]) {
    case 'H':
      return number * 3_600_000;
    case 'M':
      return number * 60_000;
    case 'S':
      return number * 1000;
    case 'm':
      return number;
    case 'u':
      return Math.ceil(number / 1000);
    case 'n':
      return Math.ceil(number / 1_000_000);
    default:
      return -1;
  }
}

/** The value for so many milliseconds: in the smallest unit that has room for it, as Envoy writes it, rounded down. */
export function formatGrpcTimeout(ms: number): string {
  let number = Math.floor(ms);
  if (number <= largest) return `${number}m`;
  number = Math.floor(number / 1000);
  if (number <= largest) return `${number}S`;
  number = Math.floor(number / 60);
  if (number <= largest) return `${number}M`;
  return `${Math.min(Math.floor(number / 60), largest)}H`;
}
