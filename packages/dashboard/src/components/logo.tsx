/**
 * Two heddles of a loom, wires with an eye, and the thread that passes through both: an H.
 */
export function Logo({ size = 28 }: { readonly size?: number }) {
  return (
    <svg class="logo" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" class="logo-ground" />
      <g class="logo-wire">
        <path d="M11 5v5.6M11 21.4V27M21 5v5.6M21 21.4V27" />
        <ellipse cx="11" cy="16" rx="2.7" ry="5.4" />
        <ellipse cx="21" cy="16" rx="2.7" ry="5.4" />
      </g>
      <path d="M3 16h26" class="logo-thread" />
    </svg>
  );
}
