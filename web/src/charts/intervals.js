import { percent } from '../format.js';
import { Chart } from './chart.js';
import { categoryAxis, tooltip, valueAxis } from './parts.js';

/**
 * Measured fractions with their 95 % intervals, one per line.
 * @param {Array<{name: string, color: string, symbol: string, value: number, low: number,
 *        high: number}>} rows
 */
export function intervals(label, rows) {
  const low = Math.min(...rows.map((r) => r.low));
  const close = Math.max(...rows.map((r) => r.high)) - low < 0.05;
  const step = close ? 0.01 : 0.05;
  return new Chart(label, 70 + 40 * rows.length, ({ theme, narrow }) => ({
    grid: { left: narrow ? 96 : 130, right: 28, top: 14, bottom: 44 },
    tooltip: tooltip(theme, 'item', ({ dataIndex: i }) => ({
      title: rows[i].name,
      rows: [
        ['measured', percent(rows[i].value, 2)],
        ['95 % interval', `${percent(rows[i].low, 2)} … ${percent(rows[i].high, 2)}`],
      ],
    })),
    xAxis: valueAxis(theme, 'correct', {
      scale: true,
      min: Math.floor(low / step) * step,
      max: ({ max }) => (max > 0.98 ? 1 : null),
      axisLabel: {
        color: theme.muted,
        hideOverlap: true,
        formatter: (x) => percent(x, close ? 1 : 0),
      },
    }),
    yAxis: categoryAxis(
      theme,
      rows.map((r) => r.name),
      { inverse: true, axisLine: { show: false }, axisLabel: { color: theme.text } },
    ),
    series: [
      {
        type: 'custom',
        z: 2,
        data: rows.map((r, i) => [i, r.low, r.high]),
        encode: { y: 0, x: [1, 2] },
        renderItem: (_, api) => whisker(api, theme[rows[api.value(0)].color]),
      },
      {
        type: 'scatter',
        z: 3,
        symbolSize: 12,
        data: rows.map((r, i) => ({
          value: [r.value, i],
          symbol: r.symbol,
          itemStyle: { color: theme[r.color] },
          label: {
            show: true,
            position: 'top',
            color: theme.text,
            fontSize: 11,
            formatter: percent(r.value),
          },
        })),
      },
    ],
  }));
}

function whisker(api, stroke) {
  const y = api.coord([api.value(1), api.value(0)])[1];
  const left = api.coord([api.value(1), api.value(0)])[0];
  const right = api.coord([api.value(2), api.value(0)])[0];
  const line = (x1, y1, x2, y2) => ({
    type: 'line',
    shape: { x1, y1, x2, y2 },
    style: { stroke, lineWidth: 2 },
  });
  return {
    type: 'group',
    children: [
      line(left, y, right, y),
      line(left, y - 5, left, y + 5),
      line(right, y - 5, right, y + 5),
    ],
  };
}
