import { startCharts } from './charts/chart.js';
import { Shared, append, h } from './dom.js';
import { plainName, worstFirst } from './measures.js';
import { accuracySection } from './sections/accuracy.js';
import { configurationSection, controlSection } from './sections/details.js';
import { latencySection } from './sections/latency.js';
import { layersSection } from './sections/layers.js';
import { networkSection } from './sections/network.js';
import { sizesSection } from './sections/sizes.js';
import { skipSection } from './sections/skip.js';
import { tensorsSection } from './sections/tensors.js';
import { verdictSection } from './sections/verdict.js';

const report = JSON.parse(document.getElementById('report-data').textContent);
for (const layer of report.layers) layer.name = plainName(layer);
const page = document.getElementById('report');

// The layer looked at from close by: the worst one first.
const worst = worstFirst(report.layers, 'isolated_sqnr_db')[0];
const selected = new Shared(worst ?? (report.layers.length ? 0 : null));
const look = (index) => {
  selected.set(index);
  document.getElementById('tensors')?.scrollIntoView({ block: 'start' });
};

const sections = [
  accuracySection(report),
  layersSection(report, selected, look),
  tensorsSection(report, selected),
  networkSection(report, look),
  latencySection(report),
  sizesSection(report),
  controlSection(report),
  skipSection(report),
  configurationSection(report),
].filter((part) => part !== null);

const contents = h(
  'nav',
  { 'aria-label': 'Contents' },
  sections.map((part) => h('a', { href: `#${part.id}` }, part.querySelector('h2').textContent)),
);

document.title = `${report.model.name}: quantization report`;
append(page, [verdictSection(report), contents, sections]);
startCharts();
