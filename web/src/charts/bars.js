import { tail } from '../format.js';
import { Chart } from './chart.js';
import { categoryAxis, legend, tooltip, valueAxis } from './parts.js';

/**
 * Horizontal bars.
 * @param {string} label for screen readers
 * @param {Array<{name: string}>} rows from top to bottom
 * @param {Array<{name: string, color: string, value: (row) => number}>} groups one bar, or
 *        part of a
 *        bar, per row; `color` is a name of the theme
 * @param {{unit: string, format: (x: number) => string, tick?: (x: number) => string,
 *          stacked?: boolean, labels?: number}} options
 *        `tick`: shorter texts for the axis; `stacked`: parts of one bar; `labels`: characters kept
 *        of
 *        a name
 */
export function bars(
  label,
  rows,
  groups,
  { unit, format, tick = format, stacked = false, labels = 30 },
) {
  const thickness = stacked ? 18 : 10;
  const pitch = stacked ? 34 : 12 * groups.length + 12;
  return new Chart(label, 76 + pitch * rows.length, ({ theme, narrow }) => ({
    grid: {
      left: narrow ? 118 : Math.min(30 + 6.6 * longest(rows, labels), 250),
      right: narrow ? 24 : 64,
      top: 30,
      bottom: 42,
    },
    legend: legend(theme),
    tooltip: tooltip(theme, 'axis', (params) => ({
      title: rows[params[0].dataIndex].name,
      rows: groups.map((g) => [g.name, format(g.value(rows[params[0].dataIndex])), theme[g.color]]),
    })),
    xAxis: valueAxis(theme, unit, {
      nameGap: 26,
      axisLabel: {
        color: theme.muted,
        hideOverlap: true,
        formatter: (x) => (x === 0 ? '0' : tick(x)),
      },
    }),
    yAxis: categoryAxis(
      theme,
      rows.map((r) => tail(r.name, narrow ? 16 : labels)),
      {
        inverse: true,
        axisLine: { show: false },
        axisLabel: { color: theme.text },
      },
    ),
    series: groups.map((group) => ({
      name: group.name,
      type: 'bar',
      stack: stacked ? 'all' : undefined,
      barWidth: thickness,
      barGap: '15%',
      color: theme[group.color],
      data: rows.map((r) => group.value(r)),
      itemStyle: stacked
        ? { borderColor: theme.surface, borderWidth: 1 }
        : { borderRadius: [0, 3, 3, 0] },
      label: {
        show: !stacked && !narrow,
        position: 'right',
        color: theme.muted,
        fontSize: 10,
        formatter: (p) => format(p.value),
      },
    })),
  }));
}

const longest = (rows, labels) => Math.min(Math.max(...rows.map((r) => r.name.length), 4), labels);
