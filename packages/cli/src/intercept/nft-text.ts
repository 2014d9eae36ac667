// What `nft -f` reads.
import { assertNever } from '@heddle/base';
import type { Chain, Family, Hook, Match, Rule, Table, Verdict } from './rule.ts';

/** The name of the table that everything of ours is in, one for each family. */
export const tableName = 'heddle';

const tableFamily: Readonly<Record<Family, 'ip' | 'ip6'>> = { ipv4: 'ip', ipv6: 'ip6' };

/** Where a base chain hooks in; priorities are those of iptables' tables. */
function hookText(table: Table, hook: Hook): string {
  const where = hook.toLowerCase();
  if (table === 'nat') return `type nat hook ${where} priority -100; policy accept;`;
  // Only chains of this type route a packet anew when its mark changes.
  return `type ${hook === 'OUTPUT' ? 'route' : 'filter'} hook ${where} priority -150; policy accept;`;
}

function matchText(match: Match, family: 'ip' | 'ip6'): string {
  const not = 'isNot' in match ? '!= ' : '';
  switch (match.on) {
    case 'protocol':
      return `meta l4proto ${match.protocol}`;
    case 'port':
      return `${match.protocol} dport ${match.port}`;
    case 'source':
      return `${family} saddr ${not}${match.network}`;
    case 'destination':
      return `${family} daddr ${not}${match.network}`;
    case 'local-destination':
      return 'fib daddr type local';
    case 'input':
      return `iifname "${match.networkInterface}"`;
    case 'output':
      return `oifname "${match.networkInterface}"`;
    case 'user':
      return `meta skuid ${match.id}`;
    case 'group':
      return `meta skgid ${match.id}`;
    case 'mark':
      return `meta mark ${not}${match.mark}`;
    case 'connection-mark':
      return `ct mark ${match.mark}`;
    case 'established':
      return 'ct state established,related';
    default:
      return assertNever(match);
  }
}

function verdictText(verdict: Verdict): string {
  switch (verdict.do) {
    case 'return':
      return 'return';
    case 'jump':
      return `jump ${verdict.chain}`;
    case 'redirect':
      return `redirect to :${verdict.port}`;
    case 'tproxy':
      return `tproxy to :${verdict.port} meta mark set ${verdict.mark} accept`;
    case 'set-mark':
      return `meta mark set ${verdict.mark}`;
    case 'save-mark':
      return 'ct mark set meta mark';
    case 'restore-mark':
      return 'meta mark set ct mark';
    default:
      return assertNever(verdict);
  }
}

function ruleText({ matches, verdict }: Rule, family: 'ip' | 'ip6'): string {
  return [...matches.map((match) => matchText(match, family)), verdictText(verdict)].join(' ');
}

/** Takes the table away, whether it is there or not. */
export function renderRemoval(family: Family): string {
  const table = `table ${tableFamily[family]} ${tableName}`;
  return `${table} {}\ndelete ${table}\n`;
}

/** Puts the table in place of one that may be there. With that of the other family it can go into one transaction. */
export function renderTable(chains: readonly Chain[], family: Family): string {
  const word = tableFamily[family];
  const blocks = chains.map(({ table, name, hook, rules }) => {
    const lines = [
      ...(hook === null ? [] : [hookText(table, hook)]),
      ...rules.map((rule) => ruleText(rule, word)),
    ];
    return `  chain ${name} {\n${lines.map((line) => `    ${line}\n`).join('')}  }\n`;
  });
  return `${renderRemoval(family)}table ${word} ${tableName} {\n${blocks.join('')}}\n`;
}
