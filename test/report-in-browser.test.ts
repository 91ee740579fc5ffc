import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { renderHtmlReport } from '../api/report/html.ts';
import { createMask } from '../api/report/mask.ts';
import { PageRowSelector } from '../api/report/page-rows.ts';
import { sampleHead, sampleItem } from '../api/report/sample-report.ts';

const CHROMIUM = '/usr/bin/chromium';
const needsChromium: { skip: string | false } = {
  skip: existsSync(CHROMIUM) ? false : `needs Chromium at ${CHROMIUM}`,
};
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

describe('the report in a real browser', needsChromium, () => {
  let folder: string;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const requests: string[] = [];

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'homeward-browser-'));
    const rows = new PageRowSelector();
    for (let at = 0; at < 300; at += 1) rows.offer(sampleItem(at));
    const file = path.join(folder, 'report.html');
    await writeFile(
      file,
      renderHtmlReport(sampleHead(300), rows.select(), createMask({ reveal: false, key: 'browser' })),
    );
    browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET });
    page = await browser.newPage();
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(file).href);
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('opens with how much was examined', async () => {
    const opening = (await page.locator('body').innerText())
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(0, 3);
    assert.ok(
      opening.some((line) => /^Examined [\d,]+ of [\d,]+ files/.test(line)),
      opening.join(' / '),
    );
  });

  it('S1: shows not one picture, and asks for nothing but itself', async () => {
    assert.equal(await page.locator('img, picture, video, canvas, object, embed, iframe, image').count(), 0);
    assert.deepEqual(
      requests.filter((url) => !url.startsWith('file:')),
      [],
    );
    assert.equal(requests.length, 1);
  });

  it('has its styles and charts applied without a complaint of the browser or its policy', async () => {
    assert.deepEqual(complaints, []);
    assert.ok((await page.locator('svg').count()) >= 3);
    const background = await page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    assert.notEqual(background, 'rgba(0, 0, 0, 0)');
  });

  it('fits a narrow window without running out of it sideways', async () => {
    await page.setViewportSize({ width: 420, height: 800 });
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    assert.ok(Number(overflow) <= 0, `${String(overflow)} pixels too wide`);
  });
});
