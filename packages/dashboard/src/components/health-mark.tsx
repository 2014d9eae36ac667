import { HEALTH_LABEL, type ServiceHealth } from '../health/service-health.ts';

/** Shapes differ as well as colours. */
const SHAPES: Readonly<Record<ServiceHealth, string>> = {
  healthy: 'M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 1 0 0-9z',
  degraded: 'M6 1L11.4 10.6H.6z',
  failing: 'M6 .6L11.4 6 6 11.4.6 6z',
  idle: 'M6 2.2a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 1 0 0-7.6z',
  absent: 'M2.5 2.5l7 7M9.5 2.5l-7 7',
};

/** A service's health as a coloured shape, in words for screen readers and on hover. */
export function HealthMark({ health }: { readonly health: ServiceHealth }) {
  return (
    <span class={`health ${health}`} title={HEALTH_LABEL[health]}>
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
        <path d={SHAPES[health]} />
      </svg>
      <span class="visually-hidden">{HEALTH_LABEL[health]}</span>
    </span>
  );
}
