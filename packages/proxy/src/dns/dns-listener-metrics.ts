import type { Counter, MetricRegistry, MetricScope } from '@heddle/telemetry';

/** Counts of a DNS listener, under the names of Envoy's DNS filter. */
export class DnsListenerMetrics {
  readonly queries: Counter;
  readonly invalidQueries: Counter;
  readonly responses: Counter;
  readonly addressQueries: Counter;
  readonly v6AddressQueries: Counter;
  readonly knownNames: Counter;
  readonly localAnswers: Counter;
  readonly localV6Answers: Counter;
  readonly forwarded: Counter;
  readonly overflows: Counter;
  readonly unanswered: Counter;
  private readonly scope: MetricScope;

  constructor(registry: MetricRegistry, statPrefix: string) {
    this.scope = registry.scope();
    const counter = (name: string, help: string): Counter =>
      this.scope.counter(`envoy_dns_filter_${name}`, help, { envoy_dns_filter_prefix: statPrefix });
    this.queries = counter('downstream_rx_queries', 'Queries received.');
    this.invalidQueries = counter('downstream_rx_invalid_queries', 'Queries that could not be understood.');
    this.responses = counter('downstream_tx_responses', 'Responses sent.');
    this.addressQueries = counter('a_record_queries', 'Queries for IPv4 addresses.');
    this.v6AddressQueries = counter('aaaa_record_queries', 'Queries for IPv6 addresses.');
    this.knownNames = counter('known_domain_queries', 'Queries for names of the table.');
    this.localAnswers = counter('local_a_record_answers', 'IPv4 addresses given from the table.');
    this.localV6Answers = counter('local_aaaa_record_answers', 'IPv6 addresses given from the table.');
    this.forwarded = counter('externally_resolved_queries', 'Queries that other servers were asked.');
    this.overflows = counter('queries_overflow', 'Queries not passed on because too many were.');
    this.unanswered = counter('unanswered_queries', 'Queries that nobody could answer.');
  }

  close(): void {
    this.scope.close();
  }
}
