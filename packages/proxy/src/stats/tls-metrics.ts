import type { Counter, MetricScope } from '@heddle/telemetry';
import type { PeerFaultKind, TlsObserver } from '../tls/link-security.ts';
import type { TlsSession } from '../transport/transport.ts';

/** Whose handshakes are counted: a listener's by its address as in `127.0.0.1_443`, or a cluster's by its name. */
export type TlsMetricsOwner = { readonly listenerAddress: string } | { readonly clusterName: string };

/** Handshakes under Envoy's names: `listener.<address>.ssl.handshake`, `cluster.<name>.ssl.session_reused` and so on. */
export class TlsMetrics implements TlsObserver {
  readonly owner: string;
  private readonly scope: MetricScope;
  private readonly prefix: string;
  private readonly labels: Readonly<Record<string, string>>;
  private readonly handshakes: Counter;
  private readonly resumed: Counter;
  private readonly withoutCertificate: Counter;
  private readonly connectionErrors: Counter;
  private readonly refusals: Readonly<Record<PeerFaultKind, Counter>>;

  /** The series live as long as `scope`. */
  constructor(scope: MetricScope, owner: TlsMetricsOwner) {
    const isListener = 'listenerAddress' in owner;
    this.owner = isListener ? `listener ${owner.listenerAddress}` : `cluster ${owner.clusterName}`;
    this.scope = scope;
    this.prefix = isListener ? 'envoy_listener_ssl_' : 'envoy_cluster_ssl_';
    this.labels = isListener
      ? { envoy_listener_address: owner.listenerAddress }
      : { envoy_cluster_name: owner.clusterName };
    const counter = (name: string, help: string): Counter =>
      this.scope.counter(`${this.prefix}${name}`, help, this.labels);
    this.handshakes = counter('handshake', 'TLS handshakes that ended well.');
    this.resumed = counter('session_reused', 'Those of them that resumed a session.');
    this.withoutCertificate = counter(
      'no_certificate',
      'Those of them in which the peer showed no certificate.',
    );
    this.connectionErrors = counter('connection_error', 'Failures of TLS, refused certificates aside.');
    this.refusals = {
      error: counter('fail_verify_error', 'Peers whose certificate is not trusted.'),
      'no-certificate': counter('fail_verify_no_cert', 'Peers without the certificate that is required.'),
      san: counter('fail_verify_san', 'Peers that are not who was asked for.'),
      hash: counter('fail_verify_cert_hash', 'Peers whose certificate has another hash.'),
    };
  }

  onHandshake({ isResumed, peer, version, cipher }: TlsSession): void {
    this.handshakes.value++;
    if (isResumed) this.resumed.value++;
    if (peer === null) this.withoutCertificate.value++;
    this.counterOf('versions', 'envoy_ssl_version', version).value++;
    this.counterOf('ciphers', 'envoy_ssl_cipher', cipher).value++;
  }

  onConnectionError(): void {
    this.connectionErrors.value++;
  }

  onPeerRefused(kind: PeerFaultKind): void {
    this.refusals[kind].value++;
  }

  private counterOf(name: string, label: string, value: string): Counter {
    const help = `TLS handshakes by ${name === 'versions' ? 'version' : 'cipher suite'}.`;
    return this.scope.counter(`${this.prefix}${name}`, help, { ...this.labels, [label]: value });
  }
}
