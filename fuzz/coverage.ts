import { Session, type Profiler } from 'node:inspector';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = fileURLToPath(new URL('../packages/', import.meta.url));

/** Which blocks of our packages have run, as V8 counts them. */
export class Coverage {
  private readonly session = new Session();
  private readonly seen = new Set<string>();

  start(): void {
    this.session.connect();
    this.session.post('Profiler.enable');
    this.session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** How many blocks ran since the last call that had never run before. */
  takeNew(): number {
    let fresh = 0;
    // In the same thread the answer comes before `post` returns.
    this.session.post(
      'Profiler.takePreciseCoverage',
      (_error, answer: Profiler.TakePreciseCoverageReturnType) => {
        for (const script of answer.result) {
          if (!isOurs(script.url)) continue;
          for (const block of script.functions.flatMap((one) => one.ranges)) {
            if (block.count === 0) continue;
            const key = `${script.scriptId}:${block.startOffset}-${block.endOffset}:${Math.min(3, Math.floor(Math.log2(block.count)))}`;
            if (this.seen.has(key)) continue;
            this.seen.add(key);
            fresh++;
          }
        }
      },
    );
    return fresh;
  }

  get blocks(): number {
    return this.seen.size;
  }

  close(): void {
    this.session.disconnect();
  }
}

function isOurs(url: string): boolean {
  return (
    url.startsWith('file:') && fileURLToPath(url).startsWith(packages) && !url.includes(`node_modules${sep}`)
  );
}
