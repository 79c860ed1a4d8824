import { bars } from '../charts/bars.js';
import { intervals } from '../charts/intervals.js';
import { figure, h, section } from '../dom.js';
import { decibel, fixed, imagesOf, percent, plural, points, short } from '../format.js';
import { table } from '../table.js';

export function accuracySection({ accuracy, verification }) {
  if (!accuracy && !verification) return null;
  return section(
    'accuracy',
    'Accuracy',
    lead(accuracy, verification),
    h(
      'div',
      { class: 'columns' },
      accuracy ? measured(accuracy) : null,
      typeof verification?.top1_agreement === 'number' ? agreement(verification) : null,
    ),
    verification ? outputs(verification) : null,
    accuracy ? flipped(accuracy) : null,
  );
}

function lead(accuracy, verification) {
  if (!accuracy) {
    return `Both networks on ${imagesOf(verification)}. ` + 'Dataset/Labels adds accuracy.';
  }
  const { top1, low, high } = accuracy.difference;
  const certain = low > 0 || high < 0;
  return (
    `The difference in top-1 accuracy is ${points(top1)} points, 95 % interval ${points(low)} to ` +
    `${points(high)} (paired, ${accuracy.images} images): ` +
    (certain ? 'it is real.' : 'too small for this many images to tell from zero.')
  );
}

function measured({ float, integer, images }) {
  const row = (name, of, key, color, symbol) => ({
    name,
    color,
    symbol,
    value: of[key],
    low: of[`${key}_low`],
    high: of[`${key}_high`],
  });
  const rows = [
    row('top-1 float', float, 'top1', 'float', 'circle'),
    row('top-1 integer', integer, 'top1', 'integer', 'rect'),
    row('top-5 float', float, 'top5', 'float', 'circle'),
    row('top-5 integer', integer, 'top5', 'integer', 'rect'),
  ].filter((r) => typeof r.value === 'number');
  return figure(
    'Accuracy with labels',
    `${images} labelled images; whiskers are 95 % intervals.`,
    intervals('Accuracy of the float and the integer network', rows),
  );
}

function agreement(verification) {
  const { top1_agreement: top1, top5_agreement: top5 } = verification;
  const rows = [{ name: 'top-1', same: top1 }];
  if (top5 !== null) rows.push({ name: 'top-5', same: top5 });
  return figure(
    'Agreement with float',
    `${imagesOf(verification)}.`,
    bars(
      'How often both networks give the same answer',
      rows,
      [
        { name: 'same answer', color: 'integer', value: (r) => r.same },
        { name: 'another answer', color: 'float', value: (r) => 1 - r.same },
      ],
      { unit: 'of the images', format: percent, tick: (x) => percent(x, 0), stacked: true },
    ),
  );
}

function outputs({ outputs: list }) {
  return h(
    'div',
    {},
    h('h3', {}, 'Outputs of the network'),
    table(
      'Outputs of the network',
      [
        { title: 'output', value: (o) => o.name },
        { title: 'SQNR', value: (o) => o.sqnr_db, show: (o) => decibel(o.sqnr_db), numeric: true },
        { title: 'cosine', value: (o) => o.cosine, show: (o) => fixed(o.cosine, 5), numeric: true },
        {
          title: 'largest error',
          value: (o) => o.max_abs_error,
          show: (o) => short(o.max_abs_error),
          numeric: true,
        },
      ],
      list,
    ),
  );
}

function flipped({ flipped: list }) {
  if (!list.length)
    return h(
      'p',
      { class: 'remark' },
      'No image is classified differently by the integer network.',
    );
  const outcome = (f) =>
    f.float === f.label ? 'lost' : f.integer === f.label ? 'won' : 'both wrong';
  const times = (wanted) => list.filter((f) => outcome(f) === wanted).length;
  const images = plural(list.length, 'flipped image');
  const title = `${images}: ${times('lost')} lost, ${times('won')} won`;
  return h(
    'div',
    {},
    h('h3', {}, title),
    table(
      'Flipped images',
      [
        { title: 'image', value: (f) => f.file, wide: true },
        { title: 'label', value: (f) => f.label },
        { title: 'float says', value: (f) => f.float },
        { title: 'integer says', value: (f) => f.integer },
        { title: 'outcome', value: outcome },
      ],
      list,
      { sort: 0, filter: list.length > 10 ? 'Filter images' : '' },
    ),
  );
}
