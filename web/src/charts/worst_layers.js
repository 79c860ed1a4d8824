import { tail } from '../format.js';
import { describeLayer, measureOf, measured, worstFirst } from '../measures.js';
import { Chart } from './chart.js';
import { categoryAxis, legend, tooltip, valueAxis } from './parts.js';

const SHOWN = 20;

/**
 * The layers with the lowest `measure` as bars, worst on top, with the other ratios as marks on the
 * same line: a bar far left of its marks says where the error comes from.
 * @param {Shared} measure key of a measure @param {Shared} selected layer index
 */
export function worstLayers(layers, measure, selected) {
  const order = () => worstFirst(layers, measure.value).slice(0, SHOWN);
  const chart = new Chart(
    'The layers with the lowest signal-to-noise ratio, worst first',
    () => 74 + 23 * order().length,
    ({ theme, narrow }) => {
      const shown = order();
      const { key, name, color } = measureOf(measure.value);
      const others = measured(layers).filter(
        (m) => m.key !== key && m.key !== 'accumulated_sqnr_db',
      );
      return {
        grid: { left: narrow ? 128 : 250, right: 52, top: 34, bottom: 40 },
        legend: legend(theme, { type: 'plain' }),
        tooltip: tooltip(theme, 'item', (p) => describeLayer(layers, shown[p.dataIndex], theme)),
        xAxis: valueAxis(theme, 'dB', { nameGap: 24 }),
        yAxis: categoryAxis(
          theme,
          shown.map((i) => `${i + 1}. ${tail(layers[i].name, narrow ? 14 : 32)}`),
          {
            inverse: true,
            axisLine: { show: false },
            axisLabel: { color: theme.text, fontSize: narrow ? 11 : 12 },
          },
        ),
        series: [
          {
            name,
            type: 'bar',
            color: theme[color],
            barWidth: 12,
            itemStyle: { borderRadius: [0, 3, 3, 0] },
            label: {
              show: true,
              position: 'insideLeft',
              color: theme.surface,
              fontSize: 10,
              formatter: (p) => Number(p.value).toFixed(1),
            },
            data: shown.map((i) => layers[i][key]),
          },
          ...others.map((m) => ({
            name: m.name,
            type: 'scatter',
            symbol: m.symbol,
            symbolSize: 9,
            color: theme[m.color],
            data: shown.map((i) => layers[i][m.key]),
          })),
        ],
      };
    },
    ({ dataIndex }) => selected.set(order()[dataIndex]),
  );
  measure.subscribe(() => chart.update());
  return chart;
}
