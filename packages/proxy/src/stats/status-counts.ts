// Hot path.
import type { Counter, MetricScope } from '@heddle/telemetry';

/** Counts responses: all of them, by the first digit of their status, and by each status that comes. */
export class StatusCounts {
  private readonly scope: MetricScope;
  private readonly name: string;
  private readonly labels: Readonly<Record<string, string>>;
  private readonly completed: Counter;
  private readonly byClass: readonly Counter[];
  /** Made when the first response with a status comes. */
  private readonly byStatus = new Map<number, Counter>();
  private lastStatus = -1;
  private lastCounter: Counter | null = null;

  /** `name`: `envoy_cluster_upstream_rq` and its like. */
  constructor(scope: MetricScope, name: string, labels: Readonly<Record<string, string>>) {
    this.scope = scope;
    this.name = name;
    this.labels = labels;
    this.completed = scope.counter(`${name}_completed`, 'Requests that were answered.', labels);
    this.byClass = [1, 2, 3, 4, 5].map((digit) =>
      scope.counter(`${name}_xx`, 'Responses by the first digit of their status.', {
        ...labels,
        envoy_response_code_class: String(digit),
      }),
    );
  }

  /** A status above 599 has no class and counts nowhere; 0 is no answer. */
  count(status: number): void {
    const byClass = this.byClass[((status / 100) | 0) - 1];
    if (byClass === undefined) return;
    byClass.value++;
    this.completed.value++;
    if (status !== this.lastStatus) {
      this.lastStatus = status;
      this.lastCounter = this.counterOf(status);
    }
    this.lastCounter!.value++;
  }

  private counterOf(status: number): Counter {
    let counter = this.byStatus.get(status);
    if (counter === undefined) {
      counter = this.scope.counter(this.name, 'Responses by their status.', {
        ...this.labels,
        envoy_response_code: String(status),
      });
      this.byStatus.set(status, counter);
    }
    return counter;
  }
}
