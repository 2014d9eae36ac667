import { readModule } from './module-text.ts';
import { isGenerated, isTestFile, packageOf } from './source-files.ts';

/** Something that must not be in the repository. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly reason: string;
}

interface Rule {
  readonly pattern: RegExp;
  readonly reason: string;
  applies(path: string): boolean;
}

/** Product code that runs in Node.js: the packages without tests, testkit and browser code. */
function isProduct(path: string): boolean {
  return /^packages\/[^/]+\/src\//.test(path) && packageOf(path) !== 'dashboard' && !isTestFile(path);
}

const wantsClock = 'time and randomness come from Clock and Random of @heddle/base';

/** Rules for TypeScript; comments don't count. */
const codeRules: readonly Rule[] = [
  {
    pattern: /rejectUnauthorized['"]?\s*:\s*false/,
    reason: 'a peer whose certificate is not verified is no peer',
    applies: () => true,
  },
  {
    pattern: /NODE_TLS_REJECT_UNAUTHORIZED/,
    reason: 'a peer whose certificate is not verified is no peer',
    applies: () => true,
  },
  {
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b|\bMath\.random\b/,
    reason: wantsClock,
    applies: (path) => isProduct(path) && packageOf(path) !== 'base',
  },
  {
    pattern: /(?<![.\w])(setTimeout|setInterval)\s*\(|from 'node:timers/,
    reason: wantsClock,
    applies: (path) => isProduct(path) && packageOf(path) !== 'base',
  },
  {
    pattern: /\b(test|it|describe|suite|check)\.only\b|\bonly:\s*true/,
    reason: 'a test that runs alone hides the others',
    applies: (path) => isTestFile(path),
  },
  {
    pattern: /\bprocess\.exit\(/,
    reason: 'only a program ends itself; a library returns or throws',
    applies: (path) =>
      isProduct(path) && !/\/(main|worker|launcher)\.ts$/.test(path) && packageOf(path) !== 'cli',
  },
];

/** Rules for all text, comments included. */
const textRules: readonly Rule[] = [
  {
    pattern: /\b(TODO|FIXME)\b(?!\s*\(#\d+\))/,
    reason: 'name the issue: TODO(#12)',
    applies: (path) => !path.endsWith('.md'),
  },
  {
    pattern: /(?<![\w.~-])\/(?:work|root|home\/[a-z][\w-]*)\/[\w.-]/,
    reason: 'a path of one machine',
    applies: () => true,
  },
  {
    pattern: /registry\.(?:npmjs|yarnpkg|npmmirror)\.|\bnpmmirror\.com|\bartifactory\b|pkgs\.dev\.azure/i,
    reason: 'a registry host: which one is used is the machine’s matter',
    applies: () => true,
  },
];

/** Places that must hold what a rule forbids, each with its reason. */
const exceptions: readonly { readonly path: RegExp; readonly rule: RegExp; readonly reason: string }[] = [
  { path: /^tests\/repository\//, rule: /./, reason: 'the rules themselves and what they are tried on' },
  {
    path: /^tests\/e2e\/.*attack.*\.test\.ts$/,
    rule: /not verified/,
    reason: 'an attacker does not verify whom it attacks',
  },
];

/** Judges one file. */
export function findForbidden(path: string, text: string): Finding[] {
  const findings: Finding[] = [];
  const apply = (rules: readonly Rule[], lines: readonly string[]): void => {
    for (const rule of rules) {
      if (!rule.applies(path)) continue;
      if (exceptions.some((one) => one.path.test(path) && one.rule.test(rule.reason))) continue;
      for (const [index, line] of lines.entries()) {
        if (rule.pattern.test(line)) findings.push({ path, line: index + 1, reason: rule.reason });
      }
    }
  };
  if (isGenerated(path)) return findings;
  apply(textRules, text.split('\n'));
  if (/\.tsx?$/.test(path)) apply(codeRules, readModule(path, text).code.split('\n'));
  return findings;
}
