// DestinationRules that encrypt without asking whom they talk to (IST0128, IST0129).
import type { Finding } from './finding.ts';
import { type FindingKind, type ObjectOfKind, type World, finding } from './world.ts';

const forDestination: FindingKind = {
  analyzer: 'server-verification',
  code: 'IST0128',
  name: 'NoServerCertificateVerificationDestinationLevel',
  level: 'WARNING',
};
const forPort: FindingKind = {
  analyzer: 'server-verification',
  code: 'IST0129',
  name: 'NoServerCertificateVerificationPortLevel',
  level: 'WARNING',
};

type Tls = NonNullable<ObjectOfKind<'DestinationRule'>['spec']['trafficPolicy']>['tls'];

const hint = 'name the authorities in caCertificates, or a Secret in credentialName with a workloadSelector';

export function findUnverifiedServers(world: World): Finding[] {
  return world.all('DestinationRule').flatMap((rule) => {
    const { host, trafficPolicy, workloadSelector } = rule.spec;
    const isBlind = (tls: Tls): boolean =>
      (tls?.mode === 'SIMPLE' || tls?.mode === 'MUTUAL') &&
      (tls.caCertificates ?? '') === '' &&
      ((tls.credentialName ?? '') === '' || workloadSelector === undefined);
    const whole = isBlind(trafficPolicy?.tls)
      ? [
          finding(
            forDestination,
            rule,
            'spec.trafficPolicy.tls',
            `nobody verifies the certificate of ${host}`,
            hint,
          ),
        ]
      : [];
    const ports = (trafficPolicy?.portLevelSettings ?? []).flatMap(({ tls, port }, index) => {
      const path = `spec.trafficPolicy.portLevelSettings[${index}].tls`;
      const message = `nobody verifies the certificate of ${host} at port ${port?.number ?? '?'}`;
      return isBlind(tls) ? [finding(forPort, rule, path, message, hint)] : [];
    });
    return whole.concat(ports);
  });
}
