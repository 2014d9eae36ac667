/** Stands where something will be shown as soon as the control plane has answered. */
export function Loading() {
  return (
    <div class="loading" aria-busy="true">
      <span class="visually-hidden">Loading</span>
    </div>
  );
}
