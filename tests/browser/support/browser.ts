import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const EXECUTABLE = process.env.HEDDLE_CHROMIUM ?? '/usr/bin/chromium';

/** Why there are no browser tests on this machine; null where there are. */
export const noBrowser: string | null = existsSync(EXECUTABLE)
  ? null
  : `no Chromium at ${EXECUTABLE}: install it (Debian: apt-get install chromium) or name it in HEDDLE_CHROMIUM`;

/** Starts a Chromium that talks to nobody but the pages it is told to open. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
