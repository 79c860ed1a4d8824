import { count, short } from '../format.js';
import { Chart } from './chart.js';
import { tooltip, valueAxis } from './parts.js';

/**
 * The values calibration saw of one tensor, the range that was chosen for it, and where zero lies
 * on
 * its grid of integers.
 * @param {Shared} shown an entry of `activations` that has a histogram, or null
 * @param {Shared} logarithmic counts on a logarithmic scale: tails become visible
 */
export function histogramChart(shown, logarithmic) {
  const chart = new Chart(
    'Histogram of the values of the chosen tensor with its quantization range',
    300,
    ({ theme }) => (shown.value?.histogram ? option(shown.value, logarithmic.value, theme) : {}),
  );
  shown.subscribe(() => chart.update());
  logarithmic.subscribe(() => chart.update());
  return chart;
}

/** [left, right, count] of every bin. */
export function bins({ low, high, counts }) {
  const step = (high - low) / counts.length;
  return counts.map((n, i) => [low + step * i, low + step * (i + 1), n]);
}

function option(tensor, logarithmic, theme) {
  const data = bins(tensor.histogram);
  const left = Math.min(tensor.histogram.low, tensor.low);
  const right = Math.max(tensor.histogram.high, tensor.high);
  const margin = 0.03 * (right - left);
  return {
    grid: { left: 52, right: 14, top: 48, bottom: 46 },
    tooltip: tooltip(
      theme,
      'item',
      ({ dataIndex: i }) =>
        data[i] && {
          title: `${short(data[i][0])} … ${short(data[i][1])}`,
          rows: [['values', count(data[i][2])]],
        },
    ),
    xAxis: valueAxis(theme, 'value', {
      min: left - margin,
      max: right + margin,
      splitLine: { show: false },
      axisLabel: {
        color: theme.muted,
        hideOverlap: true,
        showMinLabel: false,
        showMaxLabel: false,
        formatter: (x) => short(x),
      },
    }),
    yAxis: valueAxis(theme, 'values seen', {
      nameGap: 40,
      type: logarithmic ? 'log' : 'value',
      min: logarithmic ? 1 : 0,
      axisLabel: { color: theme.muted, formatter: (n) => count(n) },
    }),
    series: [
      {
        type: 'custom',
        encode: { x: [0, 1], y: 2 },
        data,
        z: 3,
        clip: true,
        renderItem: (_, api) => bar(api, logarithmic, tensor, theme),
        markArea: {
          silent: true,
          itemStyle: { color: theme.integerSoft },
          data: [[{ xAxis: tensor.low }, { xAxis: tensor.high }]],
        },
        markLine: markers(tensor, left, right, theme),
      },
    ],
  };
}

function bar(api, logarithmic, { low, high }, theme) {
  const [a, b, n] = [api.value(0), api.value(1), api.value(2)];
  const [left, top] = api.coord([a, Math.max(n, logarithmic ? 1 : 0)]);
  const [right, bottom] = api.coord([b, logarithmic ? 1 : 0]);
  const outside = b <= low || a >= high;
  return {
    type: 'rect',
    shape: { x: left, y: top, width: Math.max(right - left - 0.5, 0.5), height: bottom - top },
    style: { fill: outside ? theme.float : theme.integer },
  };
}

/**
 * Ends of the range and zero, with the integers they become. Where the range is a small part
 * of the axis, from `left` to `right`, the texts go above each other.
 */
function markers({ low, high, zero_point: zero, scale }, left, right, theme) {
  const integer = (value) => Math.round(value / scale) + zero;
  const inward = (value) => (value < (left + right) / 2 ? 'left' : 'right');
  const at = (value, align, color, distance) => ({
    xAxis: value,
    lineStyle: { color, type: 'solid', width: 1.5 },
    label: {
      formatter: `${short(value)} → ${integer(value)}`,
      align,
      color,
      fontSize: 11,
      distance,
      padding: [0, 4],
    },
  });
  const inside = low < 0 && high > 0;
  const [below, middle, above] = high - low < 0.5 * (right - left) ? [2, 16, 30] : [2, 16, 2];
  return {
    silent: true,
    symbol: 'none',
    animation: false,
    data: [
      at(low, inward(low), theme.integer, below),
      at(high, inward(high), theme.integer, above),
      ...(inside ? [at(0, 'center', theme.text, middle)] : []),
    ],
  };
}
