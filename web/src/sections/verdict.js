import { h } from '../dom.js';
import { bytes, decibel, imagesOf, milliseconds, percent, points, ratio } from '../format.js';

const STATUS = {
  good: { mark: '✓', word: 'Good' },
  bad: { mark: '✕', word: 'Bad' },
  unchecked: { mark: '?', word: 'Not checked' },
};

/** The first thing seen: is the result usable, and the handful of numbers that say so. */
export function verdictSection(report) {
  const { verdict, model, program, scheme, calibration } = report;
  const { mark, word } = STATUS[verdict.status] ?? STATUS.unchecked;
  return h(
    'header',
    { id: 'verdict', class: `verdict ${verdict.status}` },
    h('p', { class: 'eyebrow' }, `${program} · scheme ${scheme} · ${calibrationText(calibration)}`),
    h('h1', {}, model.name),
    h(
      'p',
      { class: 'summary' },
      h('span', { class: 'badge' }, h('span', { 'aria-hidden': 'true' }, mark), ` ${word}`),
      h('span', {}, verdict.summary),
    ),
    verdict.advice.length
      ? h(
          'div',
          { class: 'advice' },
          h('strong', {}, 'What would help'),
          h(
            'ul',
            {},
            verdict.advice.map((line) => h('li', {}, line)),
          ),
        )
      : null,
    h(
      'dl',
      { class: 'tiles' },
      tiles(report).map(([name, value, note]) =>
        h(
          'div',
          {},
          h('dt', {}, name),
          h('dd', {}, value),
          note ? h('dd', { class: 'note' }, note) : null,
        ),
      ),
    ),
  );
}

function calibrationText({ mode, samples, skipped, seconds }) {
  const left = skipped ? `, ${skipped} skipped` : '';
  const time = seconds === null ? '' : ` in ${seconds.toFixed(1)} s`;
  return `calibrated with ${mode} on ${samples} images${left}${time}`;
}

function tiles({ verification, accuracy, sizes, latency, operations }) {
  const total = (a) => sizes[`${a}_json`] + sizes[`${a}_params`];
  const macs = operations.integer_macs + operations.float_macs;
  const list = [];
  if (accuracy) {
    list.push([
      'Top-1 accuracy',
      percent(accuracy.integer.top1),
      `${points(accuracy.difference.top1)} points against float`,
    ]);
  }
  if (verification) {
    const images = imagesOf(verification);
    if (verification.top1_agreement !== null) {
      list.push(['Same answer as float', percent(verification.top1_agreement), `of ${images}`]);
    }
    const [output] = verification.outputs;
    if (output) list.push(['Output SQNR', decibel(output.sqnr_db), `on ${images}`]);
  }
  if (latency) {
    const { float, integer } = latency;
    list.push([
      'Faster by',
      ratio(float.median_ms, integer.median_ms),
      `${milliseconds(float.median_ms)} to ${milliseconds(integer.median_ms)}`,
    ]);
  }
  list.push([
    'Smaller by',
    ratio(total('float'), total('integer')),
    `${bytes(total('float'))} to ${bytes(total('integer'))}`,
  ]);
  if (macs) {
    list.push(['Work in 8 bits', percent(operations.integer_macs / macs), 'of multiplications']);
  }
  return list;
}
