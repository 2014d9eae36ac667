import assert from 'node:assert/strict';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';

export interface Dashboard {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser complained about: errors, and what the Content-Security-Policy refused. */
  readonly complaints: readonly string[];
  /** Addresses of other origins that the page asked for. */
  readonly foreign: readonly string[];
}

interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly colors?: 'light' | 'dark';
}

/** Opens an empty tab of its own session. */
export async function openTab(browser: Browser, url: string, look: Look = {}): Promise<Dashboard> {
  const { width = 1280, height = 800, colors = 'light' } = look;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: colors });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  const foreign: string[] = [];
  page.on('console', (message) => {
    // A browser reports each answer of 400 and above; those the tests judge by what the page makes of them.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      complaints.push(message.text());
    }
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) foreign.push(request.url());
  });
  return { context, page, complaints, foreign };
}

/** Opens the dashboard and logs in by the link that `heddle up` prints. */
export async function openDashboard(
  browser: Browser,
  mesh: { readonly url: string; readonly token: string },
  look: Look = {},
): Promise<Dashboard> {
  const dashboard = await openTab(browser, mesh.url, look);
  await dashboard.page.goto(`${mesh.url}/#token=${encodeURIComponent(mesh.token)}`);
  await dashboard.page.getByRole('heading', { level: 1, name: 'Services' }).waitFor();
  return dashboard;
}

/** Goes to a page of the dashboard by its address, and waits until it shows what it has to show. */
export async function showPage(page: Page, url: string, fragment: string): Promise<void> {
  await page.goto(`${url}/${fragment}`);
  await page.locator('h1').waitFor();
  await page.locator('main[aria-busy], main .loading').first().waitFor({ state: 'detached' });
}

/** Fails with what axe-core found, each with the elements concerned. */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`),
    [],
    what,
  );
}

/** Fails where the page is wider than the window. */
export async function assertNoSidewaysScroll(page: Page, what: string): Promise<void> {
  const [content, window] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  );
  assert.ok(content <= window, `${what}: ${content} px of content in a window of ${window} px`);
}

/** The addresses of all pages that exist in a mesh with a service `default/reviews` and a rule for it. */
export const PAGES: Readonly<Record<string, string>> = {
  services: '#/services',
  service: '#/services/default/reviews',
  instances: '#/instances',
  certificates: '#/certificates',
  configuration: '#/configuration',
  object: '#/configuration/virtualservices/default/reviews',
  about: '#/about',
  'not found': '#/nowhere',
};
