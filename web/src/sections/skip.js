import { copyButton, h, section } from '../dom.js';
import { percent, plural } from '../format.js';
import { MEASURES, worstFirst } from '../measures.js';

/** The element of a configuration file that leaves `layers` in float. */
export function skipElement(layers) {
  const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
  const text = layers.map((l) => l.skip_line).join(', ');
  return `<SkipLayers>${text.replace(/[&<>]/g, (c) => entities[c])}</SkipLayers>`;
}

/** Layers for SkipLayers, worst layers first, as many as are wanted. */
export function skipSection({ layers }) {
  const key = ['isolated_sqnr_db', ...MEASURES.map((m) => m.key)].find((k) =>
    layers.some((l) => l.integer && l[k] !== null),
  );
  const order = key ? worstFirst(layers, key).filter((i) => layers[i].integer) : [];
  if (!order.length) return null;
  const total = layers.reduce((sum, l) => sum + l.macs, 0) || 1;
  const text = h('textarea', {
    readonly: true,
    rows: 4,
    spellcheck: 'false',
    'aria-label': 'SkipLayers for the configuration',
  });
  const note = h('p', { class: 'lead', 'aria-live': 'polite' });
  const number = h('input', {
    type: 'number',
    min: 1,
    max: order.length,
    value: Math.min(3, order.length),
    'aria-label': 'how many layers',
    oninput: () => show(),
  });

  function show() {
    const wanted = Math.min(Math.max(Math.floor(Number(number.value)) || 1, 1), order.length);
    const chosen = order.slice(0, wanted).map((i) => layers[i]);
    text.value = skipElement(chosen);
    text.rows = Math.min(Math.max(Math.ceil(text.value.length / 60), 2), 12);
    const share = percent(chosen.reduce((sum, l) => sum + l.macs, 0) / total);
    note.textContent = `${plural(wanted, 'layer')}: ${share} of the multiplications would be float.`;
  }

  show();
  return section(
    'skip',
    'Keep the worst layers in float',
    'If accuracy is not enough, paste this into QuantizationParameters and run again.',
    h(
      'div',
      { class: 'picker' },
      'the worst ',
      number,
      ' layers ',
      copyButton(() => text.value),
    ),
    text,
    note,
  );
}
