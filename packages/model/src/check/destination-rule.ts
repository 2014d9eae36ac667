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
  checkTls(policy?.tls, [...path, 'tls'], report);
  for (const [index, { tls }] of (policy?.portLevelSettings ?? []).entries())
    checkTls(tls, [...path, 'portLevelSettings', index, 'tls'], report);
}

function checkTls(
  tls: NonNullable<DestinationRuleSpec['trafficPolicy']>['tls'],
  path: Path,
  report: Report,
): void {
  if (tls === undefined) return;
  if (tls.mode === undefined) {
    const hint = `write 'mode: ISTIO_MUTUAL' or leave tls out`;
    report.withoutEffect(path, 'tls without a mode, which means DISABLE in Istio,', hint);
  }
  if (tls.sni !== undefined && tls.sni !== '' && !/^[A-Za-z0-9._-]+$/.test(tls.sni))
    report.invalid([...path, 'sni'], `'${tls.sni}' is not a host name`);
  if (tls.mode !== 'ISTIO_MUTUAL') return;
  for (const [index, name] of (tls.subjectAltNames ?? []).entries()) {
    if (/^spiffe:\/\/[^/]+\/.+$/.test(name)) continue;
    const hint = `write 'spiffe://' and the workload's id`;
    const message = `'${name}' is no SPIFFE id, which certificates of the mesh have`;
    report.invalid([...path, 'subjectAltNames', index], message, hint);
  }
}
