// Asks an encrypted model in the system's Chromium as a person would, and says what they saw and what left the browser, as one line of JSON.
// Usage: node encrypted-page.mjs CHROMIUM ADDRESS FOLDER < {"mails": [...], "own": "..."}
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [executablePath, address, folder] = process.argv.slice(2);
const { mails, own } = JSON.parse(readFileSync(0, 'utf8'));
const patience = 120_000;
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
try {
  const page = await browser.newPage({ colorScheme: 'light', viewport: { width: 1000, height: 800 } });
  page.setDefaultTimeout(patience);
  const complaints = [];
  const requests = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => requests.push({
    method: request.method(),
    url: request.url(),
    headers: JSON.stringify(request.headers()),
    body: request.postDataBuffer()?.toString('base64') ?? '',
  }));
  const ready = () => page.waitForFunction(() => !document.querySelector('#ask').disabled || document.querySelector('#state').className === 'bad');
  const seen = async () => page.evaluate(() => ({
    state: document.querySelector('#state').textContent,
    verdict: document.querySelector('#verdict').textContent,
    score: Number(document.querySelector('#answer').dataset.score),
    probability: Number(document.querySelector('#answer').dataset.probability),
    features: document.querySelectorAll('#features li').length,
    query: document.querySelector('#queryBytes').textContent,
  }));

  await page.goto(address);
  await ready();
  const begun = await page.evaluate(() => ({
    title: document.title,
    state: document.querySelector('#state').textContent,
    simulated: !document.querySelector('#simulated').hidden,
    learns: document.querySelectorAll('#learns li').length,
  }));
  const answers = [];
  for (const mail of mails) {
    await page.selectOption('#pick', { label: mail });
    await page.click('#ask');
    await ready();
    answers.push({ mail, ...await seen() });
    if (answers.length === 1) await page.screenshot({ path: join(folder, 'encrypted-page.png'), fullPage: true });
  }
  await page.fill('#mail', own);
  await page.click('#ask');
  await ready();
  answers.push({ mail: null, ...await seen() });

  const overflows = () => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  const wide = await overflows();
  await page.setViewportSize({ width: 360, height: 740 });
  const narrow = await overflows();
  await page.screenshot({ path: join(folder, 'encrypted-page-phone.png'), fullPage: true });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 1000, height: 800 });
  await page.screenshot({ path: join(folder, 'encrypted-page-dark.png'), fullPage: true });
  console.log(JSON.stringify({ begun, answers, complaints, requests, overflows: wide, overflowsNarrow: narrow }));
} finally {
  await browser.close();
}
