// The report page in a real browser: Debian's chromium, without a network.
//
// WRITE_PAGE names the program that turns a report's JSON into a page (write_page.cpp), QUANTIZE the
// quantizer itself.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeReport } from '../../web/fixtures/make_report.mjs';
import { measured, worstFirst } from '../../web/src/measures.js';
import { inputOf } from '../../web/src/stored_tensors.js';

const { chromium } = createRequire(new URL('../../web/', import.meta.url))('playwright-core');
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const WIDE = 1440;
const NARROW = 390;

let browser;
let folder;

before(async () => {
  assert.ok(
    existsSync(executablePath),
    `no browser at ${executablePath}: scripts/install_dependencies.sh installs Debian's chromium`,
  );
  folder = mkdtempSync(join(tmpdir(), 'report-page-'));
  browser = await chromium.launch({
    executablePath,
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
});

after(async () => {
  await browser?.close();
  if (folder) rmSync(folder, { recursive: true });
});

function writePage(name, report) {
  const path = join(folder, `${name}.report.html`);
  writeFileSync(
    path,
    execFileSync(process.env.WRITE_PAGE, {
      input: JSON.stringify(report),
      maxBuffer: 2 ** 28,
    }),
  );
  return path;
}

/**
 * Opens a page, runs `look`, and holds that nothing was complained about and nothing was loaded.
 */
async function open(path, { width = WIDE, colorScheme = 'light' }, look) {
  const page = await browser.newPage({
    viewport: { width, height: 900 },
    colorScheme,
  });
  const wrong = [];
  page.on('console', (message) => wrong.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => wrong.push(`exception: ${error.stack}`));
  page.on('request', (request) => {
    if (request.url() !== `file://${path}`) wrong.push(`request: ${request.url()}`);
  });
  try {
    await page.goto(`file://${path}`);
    await look(page);
  } finally {
    await page.close();
  }
  assert.deepEqual(wrong, []);
}

/** Size and content of every chart that is in sight. */
const drawn = (page) =>
  page.$$eval('.chart:not([hidden])', (charts) =>
    charts.map((chart) => {
      const { width, height } = chart.querySelector('svg').getBoundingClientRect();
      return {
        label: chart.getAttribute('aria-label'),
        width,
        height,
        shapes: chart.querySelectorAll('svg path, svg rect, svg text').length,
      };
    }),
  );

async function assertCharts(page, expected) {
  const charts = await drawn(page);
  assert.equal(charts.length, expected, charts.map((c) => c.label).join('\n'));
  for (const { label, width, height, shapes } of charts) {
    assert.ok(
      width > 250 && height > 80 && shapes >= 8,
      `${label}: ${width} x ${height}, ${shapes} shapes`,
    );
  }
}

/** How many charts a report has data for. */
function chartsOf(report) {
  const { accuracy, verification, layers, activations, graph, latency } = report;
  const worst = worstFirst(layers, 'isolated_sqnr_db')[0] ?? 0;
  const operators = latency?.operators.length;
  const present = [
    ...[accuracy, typeof verification?.top1_agreement === 'number'],
    ...(measured(layers).length ? [true, true] : []),
    ...[inputOf(report, worst)?.histogram, layers[worst].weight_range, activations.length],
    ...[graph.nodes.length, true],
    ...[operators, latency, operators],
    true, // sizes
  ];
  return present.filter(Boolean).length;
}

async function assertNothingSticksOut(page) {
  const [content, window] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  assert.ok(content <= window, `the page is ${content} wide in a window of ${window}`);
}

const CHARTS = { all: 13, bare: 8 }; // charts of a report with everything, and with the least

for (const layers of [20, 400]) {
  for (const width of [WIDE, NARROW]) {
    test(`${layers} layers, ${width} pixels: all charts, the verdict, nothing sticks out`, async () => {
      const report = makeReport(layers);
      await open(writePage(`all${layers}`, report), { width }, async (page) => {
        await assertCharts(page, CHARTS.all);
        await assertNothingSticksOut(page);
        const verdict = await page.textContent('#verdict');
        assert.ok(verdict.includes('Good') && verdict.includes(report.verdict.summary), verdict);
        assert.equal(await page.title(), `residual${layers}: quantization report`);
        assert.equal(await page.locator('#layers tbody tr').count(), layers);
      });
    });
  }
}

test('the report of the example', async () => {
  const example = fileURLToPath(new URL('../../examples/shapes/config.xml', import.meta.url));
  execFileSync(process.env.QUANTIZE, ['-c', example], { cwd: folder, stdio: 'pipe' });
  const path = join(folder, 'quantized', 'shapes.report');
  const report = JSON.parse(readFileSync(`${path}.json`));
  for (const width of [WIDE, NARROW]) {
    await open(`${path}.html`, { width }, async (page) => {
      await assertCharts(page, chartsOf(report));
      await assertNothingSticksOut(page);
      const verdict = await page.textContent('#verdict');
      assert.ok(verdict.includes('Good') && verdict.includes(report.verdict.summary), verdict);
      assert.equal(await page.locator('#layers tbody tr').count(), report.layers.length);
    });
  }
});

test('a report without labels, latency and verification', async () => {
  const report = makeReport(20, { bare: true });
  await open(writePage('bare', report), {}, async (page) => {
    await assertCharts(page, CHARTS.bare);
    assert.match(await page.textContent('#verdict .badge'), /Not checked/);
    assert.equal(await page.locator('#accuracy').count(), 0);
    assert.equal(await page.locator('#latency').count(), 0);
  });
});

test('a bad result says what would help', async () => {
  await open(writePage('bad', makeReport(20, { status: 'bad' })), {}, async (page) => {
    assert.match(await page.textContent('#verdict .badge'), /Bad/);
    assert.match(await page.textContent('#verdict .advice'), /SkipLayers/);
  });
});

test('a report of nothing at all', async () => {
  const report = {
    ...makeReport(20, { bare: true }),
    layers: [],
    activations: [],
    graph: { nodes: [] },
  };
  await open(writePage('nothing', report), { width: NARROW }, assertNothingSticksOut);
});

test('unknown numbers are dashes, not NaN', async () => {
  const unknown = (value) => {
    if (typeof value === 'number' && !Number.isInteger(value)) return null;
    if (Array.isArray(value)) return value.map(unknown);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        ['weight_range', 'histogram'].includes(key) ? null : unknown(inner),
      ]),
    );
  };
  await open(writePage('unknown', unknown(makeReport(20))), {}, async (page) => {
    assert.doesNotMatch(await page.textContent('#report'), /NaN|undefined|null|Infinity/);
  });
});

test('names that are markup stay names', async () => {
  const name =
    '</script><img src=x onerror="window.broken=1"><script>window.broken=1</script>&lt;b&gt;';
  const report = makeReport(20);
  report.model.name = name;
  report.verdict.summary = name;
  for (const layer of report.layers)
    Object.assign(layer, {
      name,
      reason: layer.integer ? '' : name,
      skip_line: name,
    });
  for (const node of report.graph.nodes) node.name = name;
  for (const activation of report.activations) activation.name = name;
  await open(writePage('hostile', report), { width: NARROW }, async (page) => {
    assert.equal(await page.textContent('h1'), name);
    await page.locator('#layers .chart').first().hover();
    await page.waitForSelector('.tip');
    assert.match(await page.locator('.tip strong').first().textContent(), /<img src=x/);
    assert.equal(await page.evaluate(() => window.broken), undefined);
    assert.equal(await page.locator('#report img').count(), 0);
    await assertNothingSticksOut(page);
  });
});

test('tables sort and filter, a press on a layer shows it', async () => {
  const report = makeReport(20);
  await open(writePage('use', report), {}, async (page) => {
    const rows = page.locator('#layers tbody tr');
    await page.locator('#layers th', { hasText: 'isolated' }).locator('button').click();
    const worst = report.layers
      .filter((l) => l.integer)
      .reduce((a, b) => (b.isolated_sqnr_db < a.isolated_sqnr_db ? b : a));
    assert.ok((await rows.first().textContent()).includes(worst.name));
    await page.locator('#layers input[type=search]').fill('classifier');
    assert.equal(await rows.filter({ visible: true }).count(), 1);
    await rows.filter({ visible: true }).click();
    assert.match(
      await page.locator('#tensors .picker select option:checked').textContent(),
      /classifier/,
    );
    const caption = page.locator('#tensors figcaption').first();
    assert.match(await caption.textContent(), /^features\..*: scale/);
    await page.locator('#tensors figure select').first().selectOption('result');
    assert.match(await caption.textContent(), /^classifier/);
    await page.locator('#tensors .picker button').first().click();
    assert.match(
      await page.locator('#tensors .picker select option:checked').textContent(),
      /^19\. /,
    );
  });
});

test('SkipLayers to paste are those of the worst layers', async () => {
  const report = makeReport(20);
  await open(writePage('skip', report), {}, async (page) => {
    await page.locator('#skip input').fill('2');
    const expected = report.layers
      .filter((l) => l.integer)
      .sort((a, b) => a.isolated_sqnr_db - b.isolated_sqnr_db)
      .slice(0, 2)
      .map((l) => l.skip_line);
    assert.equal(
      await page.inputValue('#skip textarea'),
      `<SkipLayers>${expected.join(', ')}</SkipLayers>`,
    );
  });
});

test('the window changes: charts follow it', async () => {
  await open(writePage('resize', makeReport(20)), {}, async (page) => {
    await page.setViewportSize({ width: NARROW, height: 800 });
    await page.waitForFunction(
      (most) =>
        [...document.querySelectorAll('.chart svg')].every(
          (svg) => svg.getBoundingClientRect().width <= most,
        ),
      NARROW,
    );
    await assertNothingSticksOut(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await assertCharts(page, CHARTS.all);
  });
});

test('dark: light text on a dark ground, in the charts too', async () => {
  await open(writePage('dark', makeReport(20)), { colorScheme: 'dark' }, async (page) => {
    const brightness = (color) =>
      color
        .match(/\d+/g)
        .slice(0, 3)
        .reduce((sum, c) => sum + Number(c), 0) / 3;
    const { ground, text, chart } = await page.evaluate(() => ({
      ground: getComputedStyle(document.body).backgroundColor,
      text: getComputedStyle(document.body).color,
      chart: getComputedStyle(document.querySelector('.chart svg text')).fill,
    }));
    assert.ok(
      brightness(ground) < 60 && brightness(text) > 180 && brightness(chart) > 120,
      JSON.stringify({ ground, text, chart }),
    );
  });
});

test('on paper: everything, in ink', async () => {
  await open(writePage('print', makeReport(400)), { colorScheme: 'dark' }, async (page) => {
    const path = join(folder, 'print.pdf');
    await page.pdf({ path, format: 'A4' });
    assert.ok(readFileSync(path).length > 100_000);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    assert.equal(
      await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
      'rgb(255, 255, 255)',
    );
    await assertCharts(page, CHARTS.all);
  });
});

test('the same report, the same bytes', () => {
  const report = makeReport(20);
  assert.deepEqual(readFileSync(writePage('one', report)), readFileSync(writePage('two', report)));
});
