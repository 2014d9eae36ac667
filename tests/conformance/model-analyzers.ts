// Which of our analyzers stand for each of Istio's. Those that are not named here are about what Heddle has not: injection
// into Pods, webhooks, several clusters, Istio's annotations and its control plane's environment, conditions of statuses.
import type { Finding } from '@heddle/model';

export const analyzers: ReadonlyMap<string, readonly Finding['analyzer'][]> = new Map<
  string,
  readonly Finding['analyzer'][]
>([
  ['virtualservice.DestinationHostAnalyzer', ['destination-host', 'ingress-rule']],
  ['virtualservice.DestinationRuleAnalyzer', ['destination-subset']],
  ['virtualservice.GatewayAnalyzer', ['gateway-host']],
  ['schema.ValidationAnalyzer.VirtualService', ['unreachable-rule']],
  ['destinationrule.CaCertificateAnalyzer', ['server-verification']],
  ['destinationrule.SubsetSelectPodAnalyzer', ['subset-workloads']],
  ['gateway.ConflictingGatewayAnalyzer', ['gateway-conflict']],
  ['gateway.IngressGatewayPortAnalyzer', ['gateway-port']],
  ['service.PortNameAnalyzer', ['port-name']],
  ['deployment.MultiServiceAnalyzer', ['service-conflict']],
  ['serviceentry.Analyzer', ['service-entry-address']],
  ['serviceentry.ConflictingServiceEntryProtocolAnalyzer', ['service-entry-protocol']],
  ['sidecar.SelectorAnalyzer', ['sidecar-selector']],
  ['telemetry.DefaultSelectorAnalyzer', ['telemetry-selector']],
  ['telemetry.SelectorAnalyzer', ['telemetry-selector']],
  ['telemetry.ProviderAnalyzer', ['telemetry-provider']],
  ['telemetry.LightstepAnalyzer', ['lightstep']],
  ['k8sgateway.SelectorAnalyzer', ['policy-selector']],
  ['envoyfilter.EnvoyPatchAnalyzer', ['envoy-filter']],
  ['deprecation.DeprecationAnalyzer', ['deprecation']],
]);
