import { createHash } from 'node:crypto';
import type { ConfigurationSnapshot } from '@heddle/xds/snapshot';

/** One version for all that a sidecar has in use: the same resources in the same versions give the same text. */
export function configurationDigest(snapshot: ConfigurationSnapshot): string {
  const lines: string[] = [];
  for (const [typeUrl, resources] of snapshot) {
    for (const { name, version } of resources) lines.push(`${typeUrl} ${name} ${version}`);
  }
  return createHash('sha256').update(lines.toSorted().join('\n')).digest('hex').slice(0, 12);
}
