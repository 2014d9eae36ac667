import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { ensureDashboardBuilt } from '../../packages/dashboard/tools/ensure-built.ts';
import { noBrowser, startBrowser } from './support/browser.ts';
import { startContractServer, type ContractServer } from './support/contract-server.ts';
import { servicesAt } from './support/generated-mesh.ts';
import {
  assertAccessible,
  assertNoSidewaysScroll,
  openDashboard,
  PAGES,
  showPage,
} from './support/dashboard-page.ts';

/** The paths that the page asks for within some time, which passes at once: its clock is the test's. */
async function requestsWithin(page: Page, ms: number): Promise<string[]> {
  const paths: string[] = [];
  const note = (request: { url(): string }): void => {
    paths.push(new URL(request.url()).pathname);
  };
  page.on('request', note);
  await page.clock.runFor(ms);
  page.off('request', note);
  return paths;
}

// States of a mesh that are hard to bring about for real, from generated data.
describe('the dashboard of a mesh in trouble', { skip: noBrowser }, () => {
  let directory: string;
  let server: ContractServer;
  let browser: Browser;
  before(async () => {
    directory = await ensureDashboardBuilt();
    [server, browser] = await Promise.all([startContractServer(directory), startBrowser()]);
  });
  after(async () => {
    await Promise.all([browser.close(), server.close()]);
  });

  test('tells why a proxy rejected its configuration', async () => {
    const { context, page } = await openDashboard(browser, server);
    await showPage(page, server.url, PAGES['instances'] ?? '');
    await page.getByText('Rejected RDS http-proxy|default').waitFor();
    await page.getByText(/unknown cluster "outbound\|9080\|v9/).waitFor();
    await context.close();
  });

  test('opens the details of an instance by keyboard', async () => {
    const { context, page } = await openDashboard(browser, server);
    await showPage(page, server.url, PAGES['instances'] ?? '');
    const opener = page.getByRole('button', { name: /^details-v1/ });
    await opener.focus();
    await page.keyboard.press('Enter');
    assert.equal(await opener.getAttribute('aria-expanded'), 'true');
    await page.getByText('Node id').waitFor();
    await assertAccessible(page, 'instances with open details');
    await context.close();
  });

  test('tells a failing service from a healthy one by more than colour', async () => {
    const { context, page } = await openDashboard(browser, server);
    const row = (name: string) =>
      page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
    await row('ratings').getByText('failing', { exact: true }).waitFor();
    await row('details').getByText('healthy', { exact: true }).first().waitFor();
    const shape = (name: string) => row(name).locator('.health path').getAttribute('d');
    assert.notEqual(await shape('ratings'), await shape('details'));
    await context.close();
  });

  test('marks certificates that are over, end soon or were not renewed', async () => {
    const { context, page } = await openDashboard(browser, server);
    await showPage(page, server.url, PAGES['certificates'] ?? '');
    for (const word of ['expired', 'ends soon', 'renewal late']) {
      await page.getByRole('cell', { name: word, exact: true }).waitFor();
    }
    await context.close();
  });

  test('shows an object with its warnings and its YAML', async () => {
    const { context, page } = await openDashboard(browser, server);
    await showPage(page, server.url, PAGES['configuration'] ?? '');
    await page.getByRole('link', { name: 'ratings', exact: true }).click();
    await page.getByText('IST0101').waitFor();
    await page.getByRole('region', { name: 'VirtualService ratings as YAML' }).waitFor();
    await assertAccessible(page, 'an object with warnings');
    await assertNoSidewaysScroll(page, 'an object with warnings');
    await context.close();
  });

  test('filters a list by a text that is part of the address', async () => {
    const { context, page } = await openDashboard(browser, server);
    await page.getByRole('searchbox', { name: 'Filter services' }).fill('v3');
    await page.getByRole('link', { name: 'details', exact: true }).waitFor({ state: 'detached' });
    assert.equal(new URL(page.url()).hash, '#/services?q=v3');
    await page.reload();
    await page.getByRole('link', { name: 'reviews', exact: true }).waitFor();
    assert.equal(await page.getByRole('row').count(), 2, 'the head and one service');
    await context.close();
  });

  test('sorts a table by a column, both ways', async () => {
    const { context, page } = await openDashboard(browser, server);
    const names = page.locator('tbody .service-name a');
    assert.equal(await names.first().textContent(), 'details');
    const header = page.getByRole('columnheader', { name: 'Service' });
    await header.getByRole('button').click();
    assert.equal(await header.getAttribute('aria-sort'), 'descending');
    assert.equal(await names.first().textContent(), 'reviews');
    await context.close();
  });

  test('draws the first hundred of many services, and more on request', async () => {
    const { context, page } = await openDashboard(browser, server);
    const [pattern] = servicesAt(0).services;
    const services = Array.from({ length: 150 }, (_, index) => ({ ...pattern, name: `service-${index}` }));
    await page.route('**/api/v1/services', (route) => route.fulfill({ json: { services } }));
    await page.getByText('100 of 150 are shown.').waitFor();
    assert.equal(await page.locator('tbody tr').count(), 100);
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByText('are shown.').waitFor({ state: 'detached' });
    assert.equal(await page.locator('tbody tr').count(), 150);
    await context.close();
  });

  test('keeps the colours that people chose', async () => {
    const { context, page } = await openDashboard(browser, server, { colors: 'light' });
    const paper = () => page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor');
    const light = await paper();
    await page.getByRole('button', { name: 'System colours' }).click();
    await page.getByRole('button', { name: 'Light colours' }).click();
    assert.notEqual(await paper(), light);
    await page.reload();
    await page.getByRole('button', { name: 'Dark colours' }).waitFor();
    assert.notEqual(await paper(), light);
    await context.close();
  });

  test('asks for nothing while its tab is hidden', async () => {
    const { context, page } = await openDashboard(browser, server);
    await page.clock.install();
    await page.reload();
    await page.getByText('Live', { exact: true }).waitFor();
    assert.ok((await requestsWithin(page, 5000)).includes('/api/v1/services'));
    // A browser without windows has no hidden tabs, so the page is told that it is one.
    await page.evaluate(`
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    `);
    assert.deepEqual(await requestsWithin(page, 300_000), []);
    await page.evaluate(`
      delete document.visibilityState;
      document.dispatchEvent(new Event('visibilitychange'));
    `);
    await page.getByText('Live', { exact: true }).waitFor();
    assert.ok((await requestsWithin(page, 5000)).includes('/api/v1/services'));
    await context.close();
  });

  test('says that the control plane is gone, and goes on by itself when it is back', async (t) => {
    const passing = await startContractServer(directory);
    t.after(() => passing.close());
    const { context, page, complaints } = await openDashboard(browser, passing);
    await page.getByText('Live', { exact: true }).waitFor();
    const port = Number(new URL(passing.url).port);
    await passing.close();
    await page.getByText('The control plane does not answer.').waitFor();
    await assertAccessible(page, 'services without a control plane');
    await page.getByRole('link', { name: 'reviews', exact: true }).waitFor();
    const returned = await startContractServer(directory, { port, sessions: passing.sessions });
    t.after(() => returned.close());
    await page.getByText('The control plane does not answer.').waitFor({ state: 'detached' });
    await page.getByText('Live', { exact: true }).waitFor();
    assert.deepEqual(complaints, []);
    await context.close();
  });

  test('waits for a control plane that is not there yet, and then logs in by the link', async (t) => {
    const first = await startContractServer(directory);
    t.after(() => first.close());
    const { context, page } = await openDashboard(browser, first);
    await context.clearCookies();
    await first.close();
    await page.evaluate(`location.hash = '#token=${first.token}'`);
    await page.getByText('Looking for the control plane').waitFor();
    const second = await startContractServer(directory, { port: Number(new URL(first.url).port) });
    t.after(() => second.close());
    await page.getByRole('heading', { level: 1, name: 'Services' }).waitFor();
    await context.close();
  });

  test('asks to log in again once the session is over, and shows the same page then', async () => {
    const { context, page } = await openDashboard(browser, server);
    await showPage(page, server.url, PAGES['certificates'] ?? '');
    await context.clearCookies();
    await page.getByRole('alert').filter({ hasText: 'Your session has ended' }).waitFor();
    await page.getByLabel('Dashboard token').fill(server.token);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Certificates' }).waitFor();
    await context.close();
  });
});

describe('the dashboard of an empty mesh', { skip: noBrowser }, () => {
  test('says on each page what to type next', async (t) => {
    const [server, browser] = await Promise.all([
      startContractServer(await ensureDashboardBuilt(), { scenario: 'empty' }),
      startBrowser(),
    ]);
    t.after(() => Promise.all([browser.close(), server.close()]));
    const { page, complaints } = await openDashboard(browser, server, { width: 360, height: 740 });
    const hints = {
      services: 'heddle run --service',
      service: 'heddle run --service reviews',
      instances: 'heddle run --service',
      configuration: 'heddle apply -f',
    };
    for (const [name, hint] of Object.entries(hints)) {
      await showPage(page, server.url, PAGES[name] ?? '');
      await page.locator('main .empty .command', { hasText: hint }).waitFor();
      await assertAccessible(page, name);
      await assertNoSidewaysScroll(page, name);
    }
    assert.deepEqual(complaints, []);
  });
});
