// Opens an address in the system's Chromium and says what a person would see, as one line of JSON.
// Usage: node page.mjs CHROMIUM ADDRESS SCREENSHOT light|dark [TOKEN]
import { chromium } from 'playwright-core';

const [executablePath, address, screenshot, colorScheme, token] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
try {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    colorScheme,
    viewport: { width: 1000, height: 800 },
    extraHTTPHeaders: token ? { authorization: `Bearer ${token}` } : {},
  });
  const page = await context.newPage();
  const complaints = [];
  const requests = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => requests.push(new URL(request.url()).pathname));
  const response = await page.goto(address);
  const seen = await page.evaluate(() => ({
    title: document.title,
    text: document.body.innerText,
    headings: [...document.querySelectorAll('h2')].map((heading) => heading.innerText),
    bars: document.querySelectorAll('svg rect').length,
    charts: [...document.querySelectorAll('svg')].map((svg) => svg.getAttribute('aria-label')),
    background: getComputedStyle(document.body).backgroundColor,
    ink: getComputedStyle(document.body).color,
    maxWidth: getComputedStyle(document.querySelector('main')).maxWidth,
    overflows: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    scripts: document.scripts.length,
  }));
  await page.screenshot({ path: screenshot, fullPage: true });
  await page.setViewportSize({ width: 360, height: 700 });
  seen.overflowsNarrow = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  console.log(JSON.stringify({ status: response.status(), complaints, requests, ...seen }));
} finally {
  await browser.close();
}
