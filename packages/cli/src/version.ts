import { readFileSync } from 'node:fs';

/** Heddle's version, from the package's own description. */
export function heddleVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** `heddle version`. */
export async function printVersion(): Promise<number> {
  process.stdout.write(
    `heddle ${heddleVersion()} (Node.js ${process.versions.node}, ${process.platform}-${process.arch})\n`,
  );
  return 0;
}
