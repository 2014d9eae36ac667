import { renderRemoval, renderTable, tableName } from './nft-text.ts';
import { type PacketFilter, type WantedRules, families } from './packet-filter.ts';
import { type RunProgram, mustRun } from './run-program.ts';

/** `nft`: both families in one transaction. */
export class NftFilter implements PacketFilter {
  readonly name = 'nft';
  private readonly run: RunProgram;

  constructor(run: RunProgram) {
    this.run = run;
  }

  async isInstalled(): Promise<boolean> {
    return (await this.run('nft', ['--version'])) !== null;
  }

  async show(): Promise<string> {
    let text = '';
    for (const family of ['ip', 'ip6']) {
      const outcome = await this.run('nft', ['list', 'table', family, tableName]);
      if (outcome?.exitCode === 0) text += outcome.stdout;
    }
    return text;
  }

  async replace(wanted: WantedRules): Promise<void> {
    await mustRun(this.run, 'nft', ['-f', '-'], this.render(wanted));
  }

  render(wanted: WantedRules): string {
    return families
      .map((family) =>
        wanted[family].length > 0 ? renderTable(wanted[family], family) : renderRemoval(family),
      )
      .join('');
  }
}
