// What works and should be written differently (IST0002), and logs that go nowhere (IST0157).
import type { Finding } from './finding.ts';
import { type FindingKind, type World, finding } from './world.ts';

const deprecated: FindingKind = {
  analyzer: 'deprecation',
  code: 'IST0002',
  name: 'Deprecated',
  level: 'WARNING',
};

export function findDeprecations(world: World): Finding[] {
  const rules = world
    .all('VirtualService')
    .flatMap((rule) =>
      (rule.spec.http ?? []).flatMap(({ fault }, index) =>
        fault?.delay?.percent === undefined
          ? []
          : [
              finding(
                deprecated,
                rule,
                `spec.http[${index}].fault.delay.percent`,
                'percent is deprecated',
                'write percentage: {value: …}',
              ),
            ],
      ),
    );
  const sidecars = world
    .all('Sidecar')
    .filter(({ spec }) => spec.outboundTrafficPolicy?.egressProxy !== undefined)
    .map((sidecar) =>
      finding(deprecated, sidecar, 'spec.outboundTrafficPolicy.egressProxy', 'egressProxy is deprecated'),
    );
  return [...rules, ...sidecars, ...findTelemetryProblems(world)];
}

const lightstepTracing: FindingKind = {
  analyzer: 'lightstep',
  code: 'IST0002',
  name: 'Deprecated',
  level: 'WARNING',
};

type Provider = Readonly<Record<string, unknown>> & { readonly name?: string };

function findTelemetryProblems(world: World): Finding[] {
  const known = (world.meshConfig['extensionProviders'] ?? []) as readonly Provider[];
  const lightstep = new Set(known.filter((provider) => 'lightstep' in provider).map(({ name }) => name));
  const ignored: FindingKind = {
    analyzer: 'telemetry-provider',
    code: 'IST0157',
    name: 'InvalidTelemetryProvider',
    level: 'WARNING',
  };
  return world.all('Telemetry').flatMap((telemetry) => {
    const { tracing = [], accessLogging = [] } = telemetry.spec;
    const named = tracing.flatMap(({ providers = [] }) => providers).some(({ name }) => lightstep.has(name));
    const empty = accessLogging.findIndex(({ providers = [] }) => providers.length === 0);
    const findings: Finding[] = [];
    if (named)
      findings.push(
        finding(lightstepTracing, telemetry, 'spec.tracing', 'lightstep is deprecated', 'use opentelemetry'),
      );
    if (empty >= 0 && world.meshConfig['defaultProviders'] === undefined) {
      const path = `spec.accessLogging[${empty}]`;
      findings.push(finding(ignored, telemetry, path, 'names no provider, and is ignored'));
    }
    return findings;
  });
}
