// The top of a report page as a picture, for the documentation:
//
//   node web/picture.mjs quantized/shapes.report.html docs/report.png

import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [page, picture] = process.argv.slice(2);
if (!picture) throw new Error('usage: node web/picture.mjs REPORT.html PICTURE.png');

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
const tab = await browser.newPage({ viewport: { width: 1240, height: 900 } });
await tab.goto(pathToFileURL(page).href);
const { y, height } = await tab.locator('#layers figure').first().boundingBox();
await tab.screenshot({
  path: picture,
  fullPage: true,
  clip: { x: 0, y: 0, width: 1240, height: Math.ceil(y + height + 24) },
});
await browser.close();
