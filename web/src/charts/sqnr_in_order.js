import { MEASURES, describeLayer, measured } from '../measures.js';
import { Chart } from './chart.js';
import { categoryAxis, legend, tooltip, valueAxis } from './parts.js';

const FLOAT = 'float layer';

/** With hundreds of layers the halves of each are a press on the legend away. */
const FEW = { 'weights only': false, 'activations only': false };

/** Four ratios over all layers in execution order; float layers are shaded. */
export function sqnrInOrder(layers, selected) {
  const many = layers.length > 60;
  const chart = new Chart(
    'Signal-to-noise ratio of every layer in execution order',
    (w) => (w < 560 ? 340 : 400),
    ({ theme, narrow }) => ({
      grid: { left: 46, right: 12, top: narrow ? 58 : 40, bottom: many ? 84 : 50 },
      legend: legend(theme, { selected: many ? FEW : {}, data: names(layers) }),
      tooltip: tooltip(theme, 'axis', (params) =>
        describeLayer(layers, params[0].dataIndex, theme),
      ),
      xAxis: categoryAxis(
        theme,
        layers.map((_, i) => String(i + 1)),
        {
          name: 'layer, in execution order',
          nameLocation: 'middle',
          nameGap: 28,
          nameTextStyle: { color: theme.muted },
        },
      ),
      yAxis: [
        valueAxis(theme, 'dB', { nameGap: 32, scale: true }),
        { type: 'value', show: false, min: 0, max: 1 },
      ],
      dataZoom: many ? [zoom(theme)] : [],
      series: [
        ...measured(layers).map((m) => series(m, layers, theme, many)),
        floatRegions(layers, theme),
        chosenLayer(selected.value, theme),
      ],
    }),
    ({ dataIndex }) => selected.set(dataIndex),
  );
  selected.subscribe(() => chart.update());
  return chart;
}

function series({ key, name, color, symbol }, layers, theme, many) {
  const main = key === MEASURES[0].key;
  return {
    name,
    type: 'line',
    symbol,
    symbolSize: many ? 5 : 8,
    connectNulls: false,
    showSymbol: true,
    showAllSymbol: true,
    data: layers.map((l) => l[key]),
    color: theme[color],
    z: main || key === 'isolated_sqnr_db' ? 4 : 3, // above its halves, which it often meets
    lineStyle: { width: main ? 2.2 : 0, opacity: main ? 1 : 0 },
    itemStyle: { opacity: main || !many ? 1 : 0.75 },
  };
}

function names(layers) {
  const shown = measured(layers).map((m) => m.name);
  return layers.every((l) => l.integer) ? shown : [...shown, FLOAT];
}

/** Bars without gaps behind the lines: they shade float layers, and give all layers a tooltip. */
function floatRegions(layers, theme) {
  return {
    name: FLOAT,
    type: 'bar',
    yAxisIndex: 1,
    z: 0,
    barCategoryGap: '0%',
    color: theme.floatSoft,
    data: layers.map((l) => (l.integer ? 0 : 1)),
    emphasis: { disabled: true },
  };
}

function chosenLayer(index, theme) {
  return {
    type: 'line',
    data: [],
    silent: true,
    markLine: {
      silent: true,
      symbol: 'none',
      label: { show: false },
      lineStyle: { color: theme.muted, type: 'dashed', width: 1 },
      data: index === null ? [] : [{ xAxis: index }],
    },
  };
}

function zoom(theme) {
  return {
    type: 'slider',
    height: 22,
    bottom: 8,
    brushSelect: false,
    showDetail: false,
    borderColor: theme.line,
    fillerColor: theme.integerSoft,
    backgroundColor: 'transparent',
    dataBackground: { lineStyle: { color: theme.muted }, areaStyle: { opacity: 0 } },
    handleStyle: { color: theme.surface, borderColor: theme.muted },
    moveHandleStyle: { color: theme.line },
  };
}
