import { channelRanges } from '../charts/channel_ranges.js';
import { histogramChart } from '../charts/histogram.js';
import { tensorRanges } from '../charts/tensor_ranges.js';
import { Shared, figure, h, section, select } from '../dom.js';
import { count, decibel, fixed, percent, shape, short } from '../format.js';
import { MEASURES, runsIn } from '../measures.js';
import { inputOf, resultOf } from '../stored_tensors.js';
import { table } from '../table.js';

const SIDES = [
  ['input', 'its input'],
  ['result', 'its result'],
];
const COUNTS = [
  ['log', 'logarithmic'],
  ['linear', 'linear'],
];
const RANGE_SCALES = [
  ['relative', 'one per tensor'],
  ['common', 'the same for all'],
];

/** One layer from close by (its result, its weights), then the ranges of all tensors. */
export function tensorsSection(report, selected) {
  const { layers, activations } = report;
  if (!layers.length && !activations.length) return null;
  const shown = new Shared(null);
  const side = new Shared('input');
  const show = () =>
    shown.set((side.value === 'input' ? inputOf : resultOf)(report, selected.value));
  selected.subscribe(show);
  side.subscribe(show);
  const relative = new Shared(true);
  const look = (tensor) => {
    if (tensor.layer !== null) selected.set(tensor.layer);
    shown.set(tensor);
  };
  return section(
    'tensors',
    'A closer look',
    'One layer at a time: the values it reads or gives, the range that stores them, its weights.',
    picker(layers, selected),
    facts(layers, selected),
    h('div', { class: 'columns level' }, activationFigure(shown, side), weights(layers, selected)),
    activations.length
      ? [
          figure(
            'Ranges of all stored tensors',
            'Thick: the range that its integers cover. Thin: what calibration saw. Press one to look at it.',
            tensorRanges(activations, shown, relative, look),
            select('scale', RANGE_SCALES, 'relative', (value) =>
              relative.set(value === 'relative'),
            ),
          ),
          tensorTable(activations, look),
        ]
      : null,
  );
}

function picker(layers, selected) {
  const box = h(
    'select',
    { 'aria-label': 'layer', onchange: () => selected.set(Number(box.value)) },
    layers.map((l, i) => h('option', { value: i }, `${i + 1}. ${l.name}`)),
  );
  const step = (by, text, label) =>
    h(
      'button',
      {
        type: 'button',
        'aria-label': label,
        onclick: () => selected.set(Math.min(Math.max(selected.value + by, 0), layers.length - 1)),
      },
      text,
    );
  selected.subscribe((index) => {
    box.value = String(index);
  });
  return h(
    'div',
    { class: 'picker' },
    step(-1, '‹', 'previous layer'),
    box,
    step(1, '›', 'next layer'),
  );
}

function facts(layers, selected) {
  const list = h('dl', { class: 'facts' });
  selected.subscribe((index) => {
    const layer = layers[index];
    if (!layer) return;
    const rows = [
      ['operator', layer.op],
      ['runs in', layer.reason ? `${runsIn(layer)}: ${layer.reason}` : runsIn(layer)],
      ['output', shape(layer.output_shape)],
      ['MACs', count(layer.macs)],
      ['weights', count(layer.weights)],
      ...MEASURES.filter((m) => layer[m.key] !== null).map((m) => [m.name, decibel(layer[m.key])]),
    ];
    list.replaceChildren(
      ...rows.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
    );
  });
  return list;
}

/** The chart, or a sentence in its place when there is nothing to draw. */
function orSentence(chart, watched, sentence) {
  const note = h('p', { class: 'empty' });
  watched.subscribe((value) => {
    const text = sentence(value);
    note.textContent = text;
    note.hidden = text === '';
    chart.element.hidden = text !== '';
    if (text === '') chart.update();
  });
  return { element: h('div', {}, note, chart.element) };
}

function activationFigure(shown, side) {
  const logarithmic = new Shared(true);
  const caption = h('span');
  shown.subscribe((a) => {
    caption.textContent =
      a === null
        ? ''
        : `${a.name}: scale ${short(a.scale)}, zero point ` +
          `${fixed(a.zero_point, 0)}, ${percent(a.saturated, 3)} saturated.`;
  });
  const chart = histogramChart(shown, logarithmic);
  return figure(
    'Values stored as integers',
    caption,
    orSentence(chart, shown, (a) =>
      a === null
        ? 'It is not stored as integers.'
        : a.histogram
          ? ''
          : `No histogram was kept of this tensor. Its range is ${short(a.low)} … ${short(a.high)}.`,
    ),
    h(
      'span',
      { class: 'controls' },
      select('of', SIDES, side.value, (value) => side.set(value)),
      select('counts', COUNTS, 'log', (value) => logarithmic.set(value === 'log')),
    ),
  );
}

function weights(layers, selected) {
  const sorted = new Shared(false);
  const chart = channelRanges(layers, selected, sorted);
  return figure(
    'Weights per output channel',
    'Every channel has a scale of its own.',
    orSentence(chart, selected, (i) =>
      layers[i]?.weight_range ? '' : 'This layer has no constant weights.',
    ),
    select(
      'channels',
      [
        ['order', 'in order'],
        ['widest', 'widest first'],
      ],
      'order',
      (value) => sorted.set(value === 'widest'),
    ),
  );
}

function tensorTable(activations, look) {
  const number = (title, value, show) => ({ title, value, show, numeric: true });
  return h(
    'details',
    {},
    h('summary', {}, `All ${activations.length} tensors as a table`),
    table(
      'Stored tensors',
      [
        { title: 'tensor', value: (a) => a.name, wide: true },
        number(
          'saturated',
          (a) => a.saturated,
          (a) => percent(a.saturated, 3),
        ),
        number(
          'low',
          (a) => a.low,
          (a) => short(a.low),
        ),
        number(
          'high',
          (a) => a.high,
          (a) => short(a.high),
        ),
        number(
          'seen low',
          (a) => a.observed_low,
          (a) => short(a.observed_low),
        ),
        number(
          'seen high',
          (a) => a.observed_high,
          (a) => short(a.observed_high),
        ),
        number(
          'scale',
          (a) => a.scale,
          (a) => short(a.scale),
        ),
        number('zero point', (a) => a.zero_point),
      ],
      activations,
      {
        sort: 1,
        descending: true,
        filter: activations.length > 10 ? 'Filter tensors' : '',
        onrow: look,
      },
    ),
  );
}
