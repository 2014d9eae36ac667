// Hot path.
import type { Counter, MetricScope } from '@heddle/telemetry';

/** Counts responses: all of them, and by the first digit of their status. */
export class ResponseCounts {
  readonly completed: Counter;
  /** From 1xx to 5xx. */
  readonly byClass: readonly Counter[];

  /** `name`: `envoy_http_downstream_rq` and its like. */
  constructor(scope: MetricScope, name: string, labels: Readonly<Record<string, string>>) {
    this.completed = scope.counter(`${name}_completed`, 'Requests that got a response.', labels);
    this.byClass = [1, 2, 3, 4, 5].map((digit) =>
      scope.counter(`${name}_xx`, 'Responses by the first digit of their status.', {
        ...labels,
        envoy_response_code_class: String(digit),
      }),
    );
  }

  count(status: number): void {
    this.completed.value++;
    // A status above 599 counts nowhere: there is no class for it.
    const byClass = this.byClass[((status / 100) | 0) - 1];
    if (byClass !== undefined) byClass.value++;
  }
}
