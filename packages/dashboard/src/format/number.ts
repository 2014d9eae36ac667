/** Between a number and its unit: keeps them on one line. */
export const NO_BREAK = '\u00A0';

/** Stands for "nothing was measured". */
export const NOTHING = '–';

const THOUSANDS = ['', 'k', 'M', 'G'] as const;

/**
 * A number with two to three significant digits, as short as it stays honest: `0`, `<0.1`, `0.4`, `12.3`, `142`,
 * `1.24k`. Never rounds something to 0.
 */
export function formatQuantity(value: number): string {
  if (value === 0) return '0';
  if (value < 0.1) return '<0.1';
  if (value < 99.95) return trimmed(value.toFixed(1));
  let scaled = value;
  let step = 0;
  while (scaled >= 999.5 && step < THOUSANDS.length - 1) {
    scaled /= 1000;
    step++;
  }
  if (step === 0) return scaled.toFixed(0);
  const digits = scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
  return `${trimmed(scaled.toFixed(digits))}${THOUSANDS[step] ?? ''}`;
}

/** Requests per second: `12.3/s`. */
export function formatRate(perSecond: number): string {
  return `${formatQuantity(perSecond)}/s`;
}

/** A share between 0 and 1: `0 %`, `<0.1 %`, `2.4 %`, `100 %`. Only a whole is shown as 100 %. */
export function formatShare(share: number): string {
  if (share === 0 || share === 1) return `${share * 100}${NO_BREAK}%`;
  const percent = share * 100;
  if (percent < 0.1) return `<0.1${NO_BREAK}%`;
  if (percent > 99.9) return `>99.9${NO_BREAK}%`;
  return `${trimmed(percent.toFixed(1))}${NO_BREAK}%`;
}

/** A latency: `0.42 ms`, `3.1 ms`, `142 ms`, `1.2 s`. */
export function formatLatency(ms: number | null): string {
  if (ms === null) return NOTHING;
  if (ms < 0.995) return `${ms.toFixed(2)}${NO_BREAK}ms`;
  if (ms < 99.95) return `${ms.toFixed(1)}${NO_BREAK}ms`;
  if (ms < 999.5) return `${ms.toFixed(0)}${NO_BREAK}ms`;
  const seconds = ms / 1000;
  return `${seconds.toFixed(seconds < 99.95 ? 1 : 0)}${NO_BREAK}s`;
}

/** `1 instance`, `3 instances`. */
export function formatCount(count: number, noun: string, plural = `${noun}s`): string {
  return `${count}${NO_BREAK}${count === 1 ? noun : plural}`;
}

function trimmed(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
}
