/**
 * Two heddles of a loom, wires with an eye, and the thread that passes through both: an H. The thread lies over the
 * right side of each eye and under the left one.
 */
export function Logo({ size = 28 }: { readonly size?: number }) {
  return (
    <svg class="logo" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" class="logo-ground" />
      <path class="logo-wire" d="M10.5 4.5V10M10.5 22V27.5M21.5 4.5V10M21.5 22V27.5" />
      <path class="logo-wire" d="M10.5 10c3.8 3.4 3.8 8.6 0 12M21.5 10c3.8 3.4 3.8 8.6 0 12" />
      <path class="logo-thread" d="M3.5 16h25" />
      <path class="logo-wire" d="M10.5 10c-3.8 3.4-3.8 8.6 0 12M21.5 10c-3.8 3.4-3.8 8.6 0 12" />
    </svg>
  );
}
