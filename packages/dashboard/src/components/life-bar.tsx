import { formatShare } from '../format/number.ts';
import type { CertificateLife } from '../health/certificate-life.ts';
import { RENEWAL_SHARE } from '../health/certificate-life.ts';

/** How much of a certificate's life is over, with a mark where it is renewed. */
export function LifeBar({ life, renews }: { readonly life: CertificateLife; readonly renews: boolean }) {
  const label = `${formatShare(Math.round(life.used * 100) / 100)} of its life is over`;
  return (
    <svg
      class={`life ${life.state}`}
      viewBox="0 0 100 8"
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <title>{label}</title>
      <rect class="life-whole" width="100" height="8" rx="1" />
      <rect class="life-used" width={life.used * 100} height="8" rx="1" />
      {renews && <path class="life-renewal" d={`M${RENEWAL_SHARE * 100} 0V8`} />}
    </svg>
  );
}
