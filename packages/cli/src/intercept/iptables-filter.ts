import { type OwnRules, parseOwnRules, renderOwnRules, renderReplacement } from './iptables-text.ts';
import { type PacketFilter, type WantedRules, families } from './packet-filter.ts';
import type { Family } from './rule.ts';
import { type RunProgram, mustRun } from './run-program.ts';

const programs: Readonly<Record<Family, { readonly save: string; readonly restore: string }>> = {
  ipv4: { save: 'iptables-save', restore: 'iptables-restore' },
  ipv6: { save: 'ip6tables-save', restore: 'ip6tables-restore' },
};

/** `iptables` and `ip6tables`, of either variant: one transaction for each table. */
export class IptablesFilter implements PacketFilter {
  readonly name = 'iptables';
  private readonly run: RunProgram;

  constructor(run: RunProgram) {
    this.run = run;
  }

  async isInstalled(): Promise<boolean> {
    return (await this.run('iptables-restore', ['--version'])) !== null;
  }

  async show(): Promise<string> {
    let text = '';
    for (const family of families) {
      for (const { table, rules } of await this.find(family)) {
        text += `# ${family}, table ${table}\n${rules.map((line) => `${line}\n`).join('')}`;
      }
    }
    return text;
  }

  async replace(wanted: WantedRules): Promise<void> {
    const replaced: { readonly family: Family; readonly old: readonly OwnRules[] }[] = [];
    try {
      for (const family of families) {
        const old = await this.find(family, wanted[family].length > 0);
        replaced.push({ family, old });
        await this.restore(family, renderReplacement(old, renderOwnRules(wanted[family])));
      }
    } catch (error) {
      // Tables are transactions of their own, and so are families: those that went through are put back.
      for (const { family, old } of replaced.toReversed())
        await this.restore(family, renderReplacement(await this.find(family), old));
      throw error;
    }
  }

  render(wanted: WantedRules): string {
    return families
      .filter((family) => wanted[family].length > 0)
      .map((family) => {
        const words = `${programs[family].restore} --noflush`;
        return `# ${words}\n${renderReplacement([], renderOwnRules(wanted[family]))}`;
      })
      .join('');
  }

  /** Our rules; where nothing need be done about the family, a program that isn't there is none that has any. */
  private async find(family: Family, isNeeded = false): Promise<readonly OwnRules[]> {
    if (isNeeded) return parseOwnRules((await mustRun(this.run, programs[family].save, [])).stdout);
    const outcome = await this.run(programs[family].save, []);
    return outcome === null || outcome.exitCode !== 0 ? [] : parseOwnRules(outcome.stdout);
  }

  private async restore(family: Family, text: string): Promise<void> {
    // The lock of the tables may be held for a moment by others.
    if (text !== '') await mustRun(this.run, programs[family].restore, ['--noflush', '--wait=5'], text);
  }
}
