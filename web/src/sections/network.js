import { bars } from '../charts/bars.js';
import { networkChart } from '../charts/network.js';
import { Shared, figure, h, section, select } from '../dom.js';
import { count, percent, plural } from '../format.js';
import { table } from '../table.js';

/** Which parts run in integers, and what keeps the others from it. */
export function networkSection(report, look) {
  const { graph, layers, operations } = report;
  const detailed = new Shared(false);
  const reasons = byReason(layers);
  return section(
    'network',
    'Network',
    lead(reasons, layers),
    graph.nodes.length
      ? figure(
          'Integer and float regions',
          h(
            'span',
            { class: 'key' },
            h('span', { class: 'domain integer' }, '8 bits'),
            h('span', { class: 'domain float' }, 'float'),
            ' Rows run left to right, then right to left. Large: convolutions and dense layers.',
          ),
          networkChart(report, detailed, { set: look }),
          select(
            'show',
            [
              ['layers', 'layers'],
              ['operators', 'every operator'],
            ],
            'layers',
            (value) => detailed.set(value === 'operators'),
          ),
        )
      : null,
    figure('What is done in 8 bits', null, shares(operations)),
    reasons.length ? [h('h3', {}, 'What stayed float, and why'), reasonTable(reasons)] : null,
  );
}

function lead(reasons, layers) {
  const float = layers.filter((l) => !l.integer).length;
  if (!float) return `All ${plural(layers.length, 'layer')} run in 8 bits.`;
  const why = plural(reasons.length, 'reason');
  return `${float} of ${plural(layers.length, 'layer')} stayed float, for ${why}.`;
}

function shares(o) {
  const rows = [
    ['multiplications', o.integer_macs, o.float_macs],
    ['operators', o.integer_operators, o.float_operators],
    ['bytes of constants', o.integer_bytes, o.float_bytes],
  ]
    .map(([name, integer, float]) => ({ name, integer, float, total: integer + float }))
    .filter(({ total }) => total > 0);
  return bars(
    'Share of the work in integers',
    rows,
    [
      { name: '8 bits', color: 'integer', value: (r) => r.integer / r.total },
      { name: 'float', color: 'float', value: (r) => r.float / r.total },
    ],
    { unit: 'share', format: percent, tick: (x) => percent(x, 0), stacked: true },
  );
}

/** Float layers by the reason they have, most work first. */
export function byReason(layers) {
  const total = layers.reduce((sum, l) => sum + (l.macs ?? 0), 0) || 1;
  const groups = new Map();
  for (const layer of layers) {
    if (layer.integer) continue;
    const reason = layer.reason || 'no reason given';
    const group = groups.get(reason) ?? { reason, names: [], macs: 0 };
    group.names.push(layer.name);
    group.macs += layer.macs ?? 0;
    groups.set(reason, group);
  }
  return [...groups.values()]
    .map((g) => ({ ...g, share: g.macs / total }))
    .sort((a, b) => b.macs - a.macs || (a.reason < b.reason ? -1 : 1));
}

function reasonTable(reasons) {
  return table(
    'What stayed float',
    [
      { title: 'reason', value: (r) => r.reason, wide: true },
      { title: 'layers', value: (r) => r.names.length, numeric: true },
      {
        title: 'MACs',
        value: (r) => r.macs,
        show: (r) => `${count(r.macs)} (${percent(r.share)})`,
        numeric: true,
      },
      { title: 'names', value: (r) => r.names.join(', '), wide: true },
    ],
    reasons,
  );
}
