// TPROXY: answers to a connection that the proxy made in a caller's name carry a mark and are led to this machine itself.
import type { Family } from './rule.ts';
import { type RunProgram, mustRun } from './run-program.ts';

/** Marks routes and routing rules as ours in the kernel, as others' daemons have numbers of their own. */
const routeProtocol = '72';

export interface MarkedRoute {
  readonly mark: number;
  readonly table: number;
}

const version: Readonly<Record<Family, string>> = { ipv4: '-4', ipv6: '-6' };

function ruleWords(verb: 'add' | 'del', family: Family, { mark, table }: MarkedRoute): string[] {
  const where = ['fwmark', `${mark}`, 'lookup', `${table}`];
  return [version[family], 'rule', verb, ...where, 'protocol', routeProtocol];
}

function routeWords(verb: 'replace' | 'del', family: Family, table: number): string[] {
  const route = ['local', 'default', 'dev', 'lo', 'table', `${table}`, 'proto', routeProtocol];
  return [version[family], 'route', verb, ...route];
}

/** The routes of this kind that are there and ours. */
export async function findMarkedRoutes(run: RunProgram, family: Family): Promise<readonly MarkedRoute[]> {
  const { stdout } = await mustRun(run, 'ip', ['-json', version[family], 'rule', 'show']);
  const rules = JSON.parse(stdout === '' ? '[]' : stdout) as readonly Readonly<Record<string, unknown>>[];
  return rules
    .filter((one) => String(one['protocol']) === routeProtocol && one['fwmark'] !== undefined)
    .map((one) => ({ mark: Number(one['fwmark']), table: Number(one['table']) }));
}

export async function addMarkedRoute(run: RunProgram, family: Family, route: MarkedRoute): Promise<void> {
  await mustRun(run, 'ip', routeWords('replace', family, route.table));
  await mustRun(run, 'ip', ruleWords('add', family, route));
}

export async function removeMarkedRoute(run: RunProgram, family: Family, route: MarkedRoute): Promise<void> {
  await mustRun(run, 'ip', ruleWords('del', family, route));
  // The route may be gone already, with the interface.
  await run('ip', routeWords('del', family, route.table));
}

/** The commands as somebody would type them. */
export function describeMarkedRoute(family: Family, route: MarkedRoute): readonly string[] {
  return [routeWords('replace', family, route.table), ruleWords('add', family, route)].map(
    (words) => `ip ${words.join(' ')}`,
  );
}
