// Istio's rules for a DestinationRule that the shape of its fields can't express.
import type { DestinationRuleSpec } from '../schema/destination-rule.ts';
import type { Path } from '../source/place.ts';
import { type Report, checkExportTo, checkLabels } from './check.ts';
import { isAddress, isHostName, isLabel, isWildcard } from './names.ts';
import { subsetRule } from './virtual-service.ts';

/** Checks a spec that fits its schema; paths start at `spec`. */
export function checkDestinationRule(spec: DestinationRuleSpec, report: Report): void {
  if (!isHostName(spec.host) && !isWildcard(spec.host) && !isAddress(spec.host)) {
    const message = `'${spec.host}' is not a host: a DNS name, one with a leading '*.', or an IP address`;
    report.invalid(['spec', 'host'], message);
  }
  checkExportTo(spec.exportTo, ['spec', 'exportTo'], report);
  checkPolicy(spec.trafficPolicy, ['spec', 'trafficPolicy'], report);
  const names = new Set<string>();
  for (const [index, subset] of (spec.subsets ?? []).entries()) {
    const path = ['spec', 'subsets', index];
    if (!isLabel(subset.name)) {
      report.invalid([...path, 'name'], `'${subset.name}' is not a valid name of a subset`, subsetRule);
    } else if (names.has(subset.name)) {
      report.invalid([...path, 'name'], `the subset '${subset.name}' stands twice`);
    }
    names.add(subset.name);
    checkLabels(subset.labels ?? {}, [...path, 'labels'], report);
    checkPolicy(subset.trafficPolicy, [...path, 'trafficPolicy'], report);
  }
}

function checkPolicy(policy: DestinationRuleSpec['trafficPolicy'], path: Path, report: Report): void {
  if (policy?.tls === undefined || policy.tls.mode !== undefined) return;
  const hint = `write 'mode: ISTIO_MUTUAL' or leave tls out`;
  report.withoutEffect([...path, 'tls'], 'tls without a mode, which means DISABLE in Istio,', hint);
}
