// What iptables-restore reads and iptables-save prints.
import { assertNever } from '@heddle/base';
import { type Chain, type Match, type Rule, type Table, type Verdict, chainPrefix } from './rule.ts';

/** Our part of one table: chains, and the rules of built-in chains that jump to them, as `iptables-save` prints them. */
export interface OwnRules {
  readonly table: Table;
  readonly chains: readonly string[];
  /** Lines that begin with `-A`. */
  readonly rules: readonly string[];
}

const tables: readonly Table[] = ['mangle', 'nat'];

function matchText(match: Match): string {
  const not = 'isNot' in match ? '! ' : '';
  switch (match.on) {
    case 'protocol':
      return `-p ${match.protocol}`;
    case 'port':
      return `-p ${match.protocol} -m ${match.protocol} --dport ${match.port}`;
    case 'source':
      return `${not}-s ${match.network}`;
    case 'destination':
      return `${not}-d ${match.network}`;
    case 'local-destination':
      return '-m addrtype --dst-type LOCAL';
    case 'input':
      return `-i ${match.networkInterface}`;
    case 'output':
      return `-o ${match.networkInterface}`;
    case 'user':
      return `-m owner --uid-owner ${match.id}`;
    case 'group':
      return `-m owner --gid-owner ${match.id}`;
    case 'mark':
      return `-m mark ${not}--mark ${match.mark}`;
    case 'connection-mark':
      return `-m connmark --mark ${match.mark}`;
    case 'established':
      return '-m conntrack --ctstate RELATED,ESTABLISHED';
    default:
      return assertNever(match);
  }
}

function verdictText(verdict: Verdict): string {
  switch (verdict.do) {
    case 'return':
      return '-j RETURN';
    case 'jump':
      return `-j ${verdict.chain}`;
    case 'redirect':
      return `-j REDIRECT --to-ports ${verdict.port}`;
    case 'tproxy':
      return `-j TPROXY --on-port ${verdict.port} --tproxy-mark ${verdict.mark}`;
    case 'set-mark':
      return `-j MARK --set-mark ${verdict.mark}`;
    case 'save-mark':
      return '-j CONNMARK --save-mark';
    case 'restore-mark':
      return '-j CONNMARK --restore-mark';
    default:
      return assertNever(verdict);
  }
}

function ruleText(chain: string, { matches, verdict }: Rule): string {
  return ['-A', chain, ...matches.map(matchText), verdictText(verdict)].join(' ');
}

/** `chains` as they are to stand in the tables. */
export function renderOwnRules(chains: readonly Chain[]): readonly OwnRules[] {
  return tables
    .map((table) => {
      const own = chains.filter((chain) => chain.table === table);
      const hooks = own.flatMap(({ hook, name }) => (hook === null ? [] : [`-A ${hook} -j ${name}`]));
      const rules = own.flatMap(({ name, rules: list }) => list.map((rule) => ruleText(name, rule)));
      return { table, chains: own.map(({ name }) => name), rules: [...rules, ...hooks] };
    })
    .filter(({ chains: names }) => names.length > 0);
}

/** What of the output of `iptables-save` is ours. */
export function parseOwnRules(saved: string): readonly OwnRules[] {
  const found: OwnRules[] = [];
  let chains: string[] = [];
  let rules: string[] = [];
  for (const line of saved.split('\n')) {
    const table = tables.find((one) => line === `*${one}`);
    if (line.startsWith('*')) {
      chains = [];
      rules = [];
    }
    if (table !== undefined) found.push({ table, chains, rules });
    const chain = /^:(\S+)/.exec(line)?.[1];
    if (chain?.startsWith(chainPrefix) === true) chains.push(chain);
    const rule = /^-A (\S+) .*?(?:-[jg] (\S+))?$/.exec(line);
    if (rule?.[1]!.startsWith(chainPrefix) === true || rule?.[2]?.startsWith(chainPrefix) === true)
      rules.push(line);
  }
  return found.filter((one) => one.chains.length > 0 || one.rules.length > 0);
}

/**
 * Input for `iptables-restore --noflush` that takes away `old` and puts `wanted` in its place: one transaction for each
 * table, in which no packet sees half of it. Empty where there is nothing to do.
 */
export function renderReplacement(old: readonly OwnRules[], wanted: readonly OwnRules[]): string {
  let text = '';
  for (const table of tables) {
    const before = old.find((one) => one.table === table);
    const after = wanted.find((one) => one.table === table);
    if (before === undefined && after === undefined) continue;
    const gone = before?.chains.filter((chain) => after?.chains.includes(chain) !== true) ?? [];
    const hooks = before?.rules.filter((line) => !line.startsWith(`-A ${chainPrefix}`)) ?? [];
    const lines = [
      `*${table}`,
      // A chain that is there already is emptied by this.
      ...new Set([...(before?.chains ?? []), ...(after?.chains ?? [])].map((chain) => `:${chain} - [0:0]`)),
      ...hooks.map((line) => line.replace('-A', '-D')),
      ...(after?.rules ?? []),
      ...gone.map((chain) => `-X ${chain}`),
      'COMMIT',
    ];
    text += `${lines.join('\n')}\n`;
  }
  return text;
}
