import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { ensureDashboardBuilt } from '../../packages/dashboard/tools/ensure-built.ts';
import { noBrowser, startBrowser } from './support/browser.ts';
import {
  assertAccessible,
  assertNoSidewaysScroll,
  openDashboard,
  openTab,
  PAGES,
  showPage,
} from './support/dashboard-page.ts';
import { startMesh, type Mesh } from './support/mesh.ts';

/** The status that the API answers to a request with these headers. */
function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

describe('the dashboard', { skip: noBrowser }, () => {
  let mesh: Mesh;
  let browser: Browser;
  before(async () => {
    await ensureDashboardBuilt();
    [mesh, browser] = await Promise.all([startMesh(), startBrowser()]);
  });
  after(async () => {
    await Promise.all([browser.close(), mesh[Symbol.asyncDispose]()]);
  });

  test('asks for the token, refuses a wrong one in words, and takes the right one', async () => {
    const { context, page, complaints } = await openTab(browser, mesh.url);
    await page.goto(mesh.url);
    const field = page.getByLabel('Dashboard token');
    await field.fill('wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').filter({ hasText: /token/i }).waitFor();
    assert.equal(await page.locator('.shell').count(), 0);
    await field.fill(mesh.token);
    await field.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Services' }).waitFor();
    assert.deepEqual(complaints, []);
    await context.close();
  });

  test('logs in by a link, and keeps the token out of the address bar and the history', async () => {
    const { context, page } = await openTab(browser, mesh.url);
    const refused: string[] = [];
    page.on('response', (response) => {
      if (response.status() >= 400) refused.push(response.url());
    });
    await page.goto(`${mesh.url}/#token=${mesh.token}`);
    await page.getByRole('heading', { level: 1, name: 'Services' }).waitFor();
    assert.deepEqual(refused, [], 'nothing was asked for before the login');
    assert.equal(new URL(page.url()).hash, '#/services');
    assert.equal(await page.evaluate<number>('history.length'), 2, 'about:blank and this page');
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Services' }).waitFor();
    await context.close();
  });

  test('hides its session from scripts, and forgets it on logging out', async () => {
    const { context, page } = await openDashboard(browser, mesh);
    assert.equal(await page.evaluate<string>('document.cookie'), '');
    const [cookie] = await context.cookies();
    assert.equal(cookie?.name, 'heddle_session');
    assert.equal(cookie.httpOnly, true);
    assert.equal(cookie.sameSite, 'Strict');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Dashboard token').waitFor();
    const headers = { cookie: `heddle_session=${cookie.value}` };
    assert.equal(await statusOf(`${mesh.url}/api/v1/services`, headers), 401);
    await context.close();
  });

  test('answers only requests for its own host', async () => {
    assert.equal(await statusOf(`${mesh.url}/`, {}), 200);
    for (const path of ['/', '/api/v1/services', '/api/v1/login']) {
      assert.equal(await statusOf(`${mesh.url}${path}`, { host: 'rebound.example' }), 403, path);
    }
  });

  test('shows a rate that moves while one looks', async () => {
    const { context, page } = await openDashboard(browser, mesh);
    const rate = page.locator('[data-figure="rate default/reviews"]');
    await rate.filter({ hasText: /^\d/ }).waitFor();
    const first = (await rate.textContent()) ?? '';
    await rate.filter({ hasNotText: first }).waitFor();
    const threads = page.getByRole('img', { name: 'Requests to reviews over the last minute' });
    assert.match((await threads.locator('.spark-good').getAttribute('d')) ?? '', /^M/);
    await context.close();
  });

  test('draws the last five minutes of a service', async () => {
    const { context, page } = await openDashboard(browser, mesh);
    await page.getByRole('link', { name: 'reviews', exact: true }).click();
    const chart = page.getByRole('img', { name: /^Requests over the last five minutes/ });
    await chart.locator('canvas').waitFor();
    await page.getByRole('img', { name: /Last second: requests \d/ }).waitFor();
    const heading = page.getByRole('heading', { level: 1 });
    assert.equal(await heading.evaluate((element) => element.ownerDocument.activeElement === element), true);
    await context.close();
  });

  test('shows on each page a command that works', async () => {
    const { context, page } = await openDashboard(browser, mesh);
    for (const [name, fragment] of Object.entries(PAGES)) {
      await showPage(page, mesh.url, fragment);
      for (const line of await page.locator('.page-head .command code').allTextContents()) {
        const [prompt, program, ...parameters] = line.trim().split(/\s+/);
        assert.deepEqual([prompt, program], ['$', 'heddle'], name);
        const { exit, output } = await mesh.heddle(...parameters);
        assert.equal(exit?.code, 0, `${name}: ${output}`);
      }
    }
    await context.close();
  });

  for (const colors of ['light', 'dark'] as const) {
    test(`is accessible in ${colors} colours`, async () => {
      const { context, page, complaints, foreign } = await openDashboard(browser, mesh, { colors });
      for (const [name, fragment] of Object.entries(PAGES)) {
        await showPage(page, mesh.url, fragment);
        await assertAccessible(page, name);
      }
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByLabel('Dashboard token').waitFor();
      await assertAccessible(page, 'login');
      assert.deepEqual(complaints, []);
      assert.deepEqual(foreign, []);
      await context.close();
    });
  }

  for (const width of [360, 768, 1280]) {
    test(`fits into ${width} pixels`, async () => {
      const { context, page } = await openDashboard(browser, mesh, { width, height: 740 });
      for (const [name, fragment] of Object.entries(PAGES)) {
        await showPage(page, mesh.url, fragment);
        await assertNoSidewaysScroll(page, name);
      }
      await context.close();
    });
  }
});
