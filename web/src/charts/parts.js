// The pieces that the charts have in common: axes, legends, tooltips.
import { h } from '../dom.js';

export function valueAxis(theme, name, more = {}) {
  return {
    type: 'value',
    name,
    nameLocation: 'middle',
    nameGap: 28,
    nameTextStyle: { color: theme.muted },
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: theme.muted, hideOverlap: true },
    splitLine: { lineStyle: { color: theme.line } },
    ...more,
  };
}

export function categoryAxis(theme, data, more = {}) {
  return {
    type: 'category',
    data,
    axisLine: { lineStyle: { color: theme.line } },
    axisTick: { show: false },
    axisLabel: { color: theme.muted },
    ...more,
  };
}

export function legend(theme, more = {}) {
  return {
    top: 0,
    left: 0,
    itemGap: 14,
    itemWidth: 14,
    itemHeight: 10,
    textStyle: { color: theme.text },
    inactiveColor: theme.muted,
    ...more,
  };
}

/** @param {(params) => {title: string, rows: Array<[string, string, string?]>} | null} describe */
export function tooltip(theme, trigger, describe) {
  return {
    trigger,
    confine: true,
    transitionDuration: 0,
    borderColor: theme.line,
    backgroundColor: theme.surface,
    textStyle: { color: theme.text, fontSize: 12 },
    axisPointer: {
      type: trigger === 'axis' ? 'shadow' : 'none',
      shadowStyle: { color: theme.line, opacity: 0.35 },
    },
    extraCssText: 'max-width:min(340px,86vw);white-space:normal;box-shadow:0 4px 18px #0003',
    formatter: (params) => {
      const content = describe(params);
      return content ? tip(content) : '';
    },
  };
}

function tip({ title, rows }) {
  return h(
    'div',
    { class: 'tip' },
    h('strong', {}, title),
    h(
      'dl',
      {},
      rows.map(([name, value, color]) => [
        h('dt', {}, color ? h('i', { style: { background: color } }) : null, name),
        h('dd', {}, value),
      ]),
    ),
  );
}
