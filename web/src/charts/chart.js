import { h } from '../dom.js';
import { init } from './echarts.js';
import { readTheme } from './theme.js';

/** Below this a chart stacks its legend and shortens its names. */
export const NARROW = 560;

const charts = new Set();
let theme = null;

/**
 * One chart: a box that knows how to draw itself for a width and a theme, and does so again when
 * either changes.
 */
export class Chart {
  /**
   * @param {string} label what a screen reader says
   * @param {number | ((width: number) => number)} height pixels
   * @param {(view: {theme, width: number, narrow: boolean}) => object} build an ECharts option
   * @param {(event: object) => void} [onclick] ECharts click event
   */
  constructor(label, height, build, onclick = null) {
    this.height = typeof height === 'function' ? height : () => height;
    this.build = build;
    this.onclick = onclick;
    this.element = h('div', { class: 'chart', role: 'img', 'aria-label': label });
    charts.add(this);
  }

  /** Draws again: the data it shows has changed, or the page has. */
  update() {
    const width = this.element.clientWidth;
    if (!width || !theme) return;
    this.element.style.height = `${this.height(width)}px`;
    if (!this.instance) this.start();
    this.instance.resize();
    this.instance.setOption(
      { ...base(theme), ...this.build({ theme, width, narrow: width < NARROW }) },
      { notMerge: true },
    );
    this.width = width;
    this.element.dataset.drawn = 'true';
  }

  start() {
    this.instance = init(this.element, null, { renderer: 'svg' });
    if (this.onclick) this.instance.on('click', this.onclick);
  }
}

function base({ text, font }) {
  return { animation: false, textStyle: { color: text, fontFamily: font, fontSize: 12 } };
}

function redrawAll() {
  theme = readTheme();
  for (const chart of charts) chart.update();
}

/** Call once the charts are in the document: draws them and follows the window from then on. */
export function startCharts() {
  redrawAll();
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      for (const chart of charts) {
        if (chart.element === target && target.clientWidth !== chart.width) chart.update();
      }
    }
  });
  for (const chart of charts) observer.observe(chart.element);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redrawAll);
  matchMedia('print').addEventListener('change', redrawAll);
}
