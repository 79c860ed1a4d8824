import { sqnrInOrder } from '../charts/sqnr_in_order.js';
import { worstLayers } from '../charts/worst_layers.js';
import { Shared, figure, h, section, select } from '../dom.js';
import { count, fixed } from '../format.js';
import { MEASURES, measured, runsIn } from '../measures.js';
import { table } from '../table.js';

/** Where the error arises and where it ends up. */
export function layersSection({ layers }, selected, look) {
  const present = measured(layers);
  const key = present.some((m) => m.key === 'isolated_sqnr_db')
    ? 'isolated_sqnr_db'
    : present[0]?.key;
  const measure = new Shared(key);
  return section(
    'layers',
    'Layers',
    lead(present),
    present.length
      ? [
          figure(
            'In execution order',
            'Press a point to look at its layer below, a name to show or hide its ratio.',
            sqnrInOrder(layers, selected),
          ),
          figure(
            'Worst first',
            'Marks on a bar show which half of the layer the error comes from.',
            worstLayers(layers, measure, { set: look }),
            select(
              'order by',
              present.map((m) => [m.key, m.name]),
              key,
              (value) => measure.set(value),
            ),
          ),
        ]
      : null,
    h('h3', {}, present.length ? 'All layers, ratios in dB' : 'All layers'),
    table(
      'All layers',
      columns(present),
      layers.map((layer, index) => ({ layer, index })),
      { filter: layers.length > 10 ? 'Filter layers' : '', onrow: ({ index }) => look(index) },
    ),
  );
}

function lead(present) {
  if (!present.length) return 'Nothing was measured layer by layer in this run.';
  const meanings = present.map(({ name, meaning }) => `${name}: ${meaning}`);
  return (
    'Signal-to-quantization-noise ratios, higher is better, 6 dB are one bit. ' +
    `${meanings.join('; ')}.`
  );
}

function columns(present) {
  const number = (title, value, show) => ({ title, value, show, numeric: true });
  return [
    number('#', (r) => r.index + 1),
    { title: 'layer', value: (r) => r.layer.name, wide: true },
    { title: 'operator', value: (r) => r.layer.op },
    {
      title: 'runs in',
      value: (r) => runsIn(r.layer),
      show: (r) =>
        h('span', { class: `domain ${r.layer.integer ? 'integer' : 'float'}` }, runsIn(r.layer)),
    },
    ...MEASURES.filter((m) => present.includes(m)).map(({ key, name }) =>
      number(
        name,
        (r) => r.layer[key],
        (r) => fixed(r.layer[key]),
      ),
    ),
    number(
      'MACs',
      (r) => r.layer.macs,
      (r) => count(r.layer.macs),
    ),
    number(
      'weights',
      (r) => r.layer.weights,
      (r) => count(r.layer.weights),
    ),
  ];
}
