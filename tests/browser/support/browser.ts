import { findProgram, skipWithout } from '@heddle/testkit';
import { chromium, type Browser } from 'playwright-core';

const executable = findProgram(process.env['HEDDLE_CHROMIUM'] ?? '/usr/bin/chromium');

/** For a test's `skip`: false where there is a Chromium to test with, else why not. */
export const noBrowser: string | false = skipWithout({ 'Chromium (Debian: chromium)': executable });

/** Starts a Chromium that talks to nobody but the pages it is told to open. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    ...(executable === null ? {} : { executablePath: executable }),
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
