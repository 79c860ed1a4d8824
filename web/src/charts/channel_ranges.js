import { short } from '../format.js';
import { Chart } from './chart.js';
import { categoryAxis, tooltip, valueAxis } from './parts.js';

/**
 * Least and greatest weight of every output channel of the chosen layer.
 * @param {Shared} selected layer index or null @param {Shared} sorted widest channel first
 */
export function channelRanges(layers, selected, sorted) {
  const chart = new Chart(
    'Range of the weights of every output channel of the chosen layer',
    300,
    ({ theme }) => {
      const range = layers[selected.value]?.weight_range;
      return range ? option(channels(range, sorted.value), theme) : {};
    },
  );
  selected.subscribe(() => chart.update());
  sorted.subscribe(() => chart.update());
  return chart;
}

/** @returns {Array<{channel: number, low: number, high: number}>} */
export function channels({ low, high }, widestFirst) {
  const list = low.map((value, channel) => ({ channel, low: value, high: high[channel] }));
  const reach = (c) => Math.max(Math.abs(c.low), Math.abs(c.high));
  return widestFirst ? list.sort((a, b) => reach(b) - reach(a) || a.channel - b.channel) : list;
}

function option(list, theme) {
  return {
    grid: { left: 52, right: 12, top: 12, bottom: 44 },
    tooltip: tooltip(theme, 'axis', ([{ dataIndex: i }]) => ({
      title: `output channel ${list[i].channel}`,
      rows: [
        ['least weight', short(list[i].low)],
        ['greatest weight', short(list[i].high)],
      ],
    })),
    xAxis: categoryAxis(
      theme,
      list.map((c) => String(c.channel)),
      {
        name: 'output channel',
        nameLocation: 'middle',
        nameGap: 26,
        axisLine: { show: false },
        nameTextStyle: { color: theme.muted },
      },
    ),
    yAxis: valueAxis(theme, 'weight', {
      nameGap: 38,
      axisLabel: { color: theme.muted, formatter: (x) => short(x) },
    }),
    series: [
      {
        type: 'custom',
        clip: true,
        data: list.map((c, i) => [i, c.low, c.high]),
        encode: { x: 0, y: [1, 2] },
        renderItem: (_, api) => {
          const [x, top] = api.coord([api.value(0), api.value(2)]);
          const bottom = api.coord([api.value(0), api.value(1)])[1];
          const width = Math.max(Math.min(api.size([1, 0])[0] * 0.7, 14), 0.8);
          return {
            type: 'rect',
            style: { fill: theme.weight },
            shape: { x: x - width / 2, y: top, width, height: Math.max(bottom - top, 1) },
          };
        },
        markLine: {
          silent: true,
          symbol: 'none',
          label: { show: false },
          data: [{ yAxis: 0 }],
          lineStyle: { color: theme.muted, type: 'solid', width: 1 },
        },
      },
    ],
  };
}
