import { bars } from '../charts/bars.js';
import { figure, h, section } from '../dom.js';
import { microseconds, milliseconds, ratio } from '../format.js';
import { table } from '../table.js';

const SHOWN = 15;

export function latencySection({ latency }) {
  if (!latency) return null;
  const { threads, float, integer, operators } = latency;
  const groups = [
    { name: 'float', color: 'float', value: (o) => o.float_us },
    { name: 'integer', color: 'integer', value: (o) => o.integer_us },
  ];
  const options = { unit: 'time', format: microseconds };
  const slowest = [...operators]
    .sort((a, b) => (b.integer_us ?? 0) - (a.integer_us ?? 0))
    .slice(0, SHOWN);
  return section(
    'latency',
    'Time',
    `Median of a run on ${threads} thread${threads === 1 ? '' : 's'}: ` +
      `${milliseconds(float.median_ms)} in float, ${milliseconds(integer.median_ms)} in 8 bits ` +
      `(${ratio(float.median_ms, integer.median_ms)}), in this program's executor, not in TVM.`,
    h(
      'div',
      { class: 'columns' },
      operators.length
        ? figure(
            'By kind of operator',
            null,
            bars('Time by kind of operator', byKind(operators), groups, options),
          )
        : null,
      figure(
        'Whole network',
        null,
        bars(
          'Time of the whole network',
          [
            { name: 'fastest', float_us: 1000 * float.min_ms, integer_us: 1000 * integer.min_ms },
            {
              name: 'median',
              float_us: 1000 * float.median_ms,
              integer_us: 1000 * integer.median_ms,
            },
            {
              name: '90 % within',
              float_us: 1000 * float.p90_ms,
              integer_us: 1000 * integer.p90_ms,
            },
          ],
          groups,
          options,
        ),
      ),
    ),
    operators.length
      ? [
          figure(
            'Slowest operators of the integer network',
            null,
            bars('The slowest operators', slowest, groups, options),
          ),
          h(
            'details',
            {},
            h('summary', {}, `All ${operators.length} operators as a table`),
            operatorTable(operators),
          ),
        ]
      : null,
  );
}

/** Times of all operators of a kind together, longest first. */
export function byKind(operators) {
  const kinds = new Map();
  for (const { op, float_us: float, integer_us: integer } of operators) {
    const kind = kinds.get(op) ?? { name: op, float_us: 0, integer_us: 0 };
    kind.float_us += float ?? 0;
    kind.integer_us += integer ?? 0;
    kinds.set(op, kind);
  }
  return [...kinds.values()]
    .sort((a, b) => b.float_us - a.float_us || (a.name < b.name ? -1 : 1))
    .slice(0, SHOWN);
}

function operatorTable(operators) {
  const number = (title, value, show) => ({ title, value, show, numeric: true });
  const gain = (o) => (o.float_us && o.integer_us ? o.float_us / o.integer_us : null);
  return table(
    'Time of every operator',
    [
      { title: 'name', value: (o) => o.name, wide: true },
      { title: 'operator', value: (o) => o.op },
      number(
        'float',
        (o) => o.float_us,
        (o) => microseconds(o.float_us),
      ),
      number(
        'integer',
        (o) => o.integer_us,
        (o) => microseconds(o.integer_us),
      ),
      number('faster by', gain, (o) => ratio(o.float_us, o.integer_us)),
    ],
    operators,
    { sort: 3, descending: true, filter: operators.length > 10 ? 'Filter operators' : '' },
  );
}
