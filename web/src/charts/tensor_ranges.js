import { fixed, percent, short } from '../format.js';
import { Chart } from './chart.js';
import { categoryAxis, tooltip, valueAxis } from './parts.js';

/**
 * One column per tensor in execution order: what was seen (thin), what was kept (thick), zero.
 * @param {Shared} shown the tensor looked at
 * @param {Shared} relative every tensor on a scale of its own: what is cut off becomes visible, also
 *        of tensors that are much smaller than others
 * @param {(tensor) => void} look pressing a column calls it
 */
export function tensorRanges(activations, shown, relative, look) {
  const chart = new Chart(
    'Observed and chosen range of every quantized tensor',
    300,
    ({ theme, narrow }) => ({
      grid: { left: 52, right: 12, top: 12, bottom: 44 },
      tooltip: tooltip(theme, 'axis', ([{ dataIndex }]) => describeTensor(activations[dataIndex])),
      xAxis: categoryAxis(
        theme,
        activations.map((_, i) => String(i + 1)),
        {
          name: 'tensor, in execution order',
          nameLocation: 'middle',
          nameGap: 26,
          axisLine: { show: false },
          nameTextStyle: { color: theme.muted },
        },
      ),
      yAxis: valueAxis(theme, relative.value ? 'share of the largest' : 'value', {
        nameGap: 38,
        ...(relative.value ? { min: ({ min }) => (min < 0 ? -1 : 0), max: 1 } : {}),
        axisLabel: {
          color: theme.muted,
          formatter: (x) => (relative.value ? percent(x, 0) : short(x)),
        },
      }),
      series: [
        {
          type: 'custom',
          clip: true,
          data: activations.map((a, i) => [i, ...ends(a, relative.value)]),
          encode: { x: 0, y: [1, 2, 3, 4] },
          renderItem: (_, api) =>
            column(api, theme, narrow, shown.value === activations[api.value(0)]),
          markLine: {
            silent: true,
            symbol: 'none',
            label: { show: false },
            data: [{ yAxis: 0 }],
            lineStyle: { color: theme.muted, type: 'solid', width: 1 },
          },
        },
      ],
    }),
    ({ dataIndex }) => look(activations[dataIndex]),
  );
  shown.subscribe(() => chart.update());
  relative.subscribe(() => chart.update());
  return chart;
}

/** Ends of what was seen and of what is kept, as shares of the largest magnitude if `relative`. */
export function ends(tensor, relative) {
  const { low, high, observed_low: seenLow, observed_high: seenHigh } = tensor;
  const all = [seenLow ?? low, seenHigh ?? high, low, high];
  const unit = relative ? Math.max(...all.map(Math.abs)) || 1 : 1;
  return all.map((value) => value / unit);
}

export function describeTensor(a) {
  return {
    title: a.name,
    rows: [
      ['chosen', `${short(a.low)} … ${short(a.high)}`],
      ['seen', `${short(a.observed_low)} … ${short(a.observed_high)}`],
      ['scale', short(a.scale)],
      ['zero point', fixed(a.zero_point, 0)],
      ['saturated', percent(a.saturated, 3)],
    ],
  };
}

function column(api, theme, narrow, chosen) {
  const step = api.size([1, 0])[0];
  const rect = (low, high, width, fill) => {
    const [x, top] = api.coord([api.value(0), high]);
    const bottom = api.coord([api.value(0), low])[1];
    return {
      type: 'rect',
      style: { fill },
      shape: { x: x - width / 2, y: top, width, height: Math.max(bottom - top, 1) },
    };
  };
  const thick = Math.max(Math.min(step * 0.62, narrow ? 10 : 16), 1);
  return {
    type: 'group',
    children: [
      rect(api.value(1), api.value(2), Math.max(Math.min(step * 0.2, 3), 0.6), theme.float),
      rect(api.value(3), api.value(4), thick, chosen ? theme.accent : theme.integer),
    ],
  };
}
