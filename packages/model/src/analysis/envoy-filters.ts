// EnvoyFilters that may not be applied as their authors expect (IST0151 to IST0155).
import type { Finding } from './finding.ts';
import { type World, finding } from './world.ts';

const replaceable = new Set(['NETWORK_FILTER', 'HTTP_FILTER', 'VIRTUAL_HOST']);
const fixed = new Set(['ROUTE_CONFIGURATION', 'HTTP_ROUTE']);
const relative = new Set(['INSERT_BEFORE', 'INSERT_AFTER', 'REPLACE', 'MERGE', 'REMOVE']);

const analyzer = 'envoy-filter';

export function findEnvoyFilterProblems(world: World): Finding[] {
  return world.all('EnvoyFilter').flatMap((filter) => {
    const findings = new Map<string, Finding>();
    const note = (
      code: string,
      name: string,
      level: Finding['level'],
      index: number,
      message: string,
    ): void => {
      const found = finding(
        { analyzer, code, name, level },
        filter,
        `spec.configPatches[${index}].patch`,
        message,
      );
      if (!findings.has(code)) findings.set(code, found);
    };
    for (const [index, { applyTo = '', match, patch }] of (filter.spec.configPatches ?? []).entries()) {
      const operation = patch?.operation ?? '';
      if (operation === 'REPLACE' && !replaceable.has(applyTo)) {
        const message = `REPLACE does nothing to ${applyTo}: only filters can be replaced`;
        note('IST0152', 'EnvoyFilterUsesReplaceOperationIncorrectly', 'ERROR', index, message);
      } else if (operation === 'ADD' && fixed.has(applyTo)) {
        const message = `ADD does nothing to ${applyTo}`;
        note('IST0153', 'EnvoyFilterUsesAddOperationIncorrectly', 'ERROR', index, message);
      } else if (operation === 'REMOVE' && fixed.has(applyTo)) {
        const message = `REMOVE does nothing to ${applyTo}`;
        note('IST0154', 'EnvoyFilterUsesRemoveOperationIncorrectly', 'ERROR', index, message);
      } else if (relative.has(operation) && (filter.spec.priority ?? 0) === 0) {
        const isVersioned = (match?.proxy?.proxyVersion ?? '') !== '';
        const suffix = isVersioned ? 'WithProxyVersion' : '';
        const message = `${operation} depends on what other EnvoyFilters did before, and no priority says when it comes`;
        const code = isVersioned ? 'IST0155' : 'IST0151';
        note(code, `EnvoyFilterUsesRelativeOperation${suffix}`, 'WARNING', index, message);
      }
    }
    return Array.from(findings.values());
  });
}
