// Finds the dashboard's built files, and brings them up to date in a checkout.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const inCheckout = (path: string): string =>
  fileURLToPath(new URL(`../../../dashboard/${path}`, import.meta.url));

/** The directory to serve. It need not be there yet: files are looked up when somebody asks for them. */
export function dashboardDirectory(): string {
  const published = fileURLToPath(new URL('../dashboard/', import.meta.url));
  return existsSync(published) ? published : inCheckout('dist');
}

/**
 * Builds the dashboard where its sources are newer; empty, or a sentence when that failed. In a process of its own:
 * a bundler has no place in a control plane's memory.
 */
export async function updateDashboard(): Promise<string> {
  const tool = inCheckout('tools/ensure-built.ts');
  if (!existsSync(tool)) return '';
  const child = spawn(process.execPath, [tool], { stdio: ['ignore', 'ignore', 'pipe'] });
  const output = text(child.stderr);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return '';
  const reason = /^\w*Error: (.*)$/m.exec(await output)?.[1] ?? 'the build failed';
  return `the dashboard is not up to date: ${reason}`;
}
