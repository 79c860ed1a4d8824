import { decibel } from './format.js';

/**
 * The four signal-to-quantization-noise ratios of a layer. They have their own colours and marks
 * wherever they appear.
 */
export const MEASURES = [
  {
    key: 'accumulated_sqnr_db',
    name: 'accumulated',
    color: 'accumulated',
    symbol: 'circle',
    meaning: 'everything before it is quantized too',
  },
  {
    key: 'isolated_sqnr_db',
    name: 'isolated',
    color: 'isolated',
    symbol: 'diamond',
    meaning: 'only this layer is quantized',
  },
  {
    key: 'weight_sqnr_db',
    name: 'weights only',
    color: 'weight',
    symbol: 'triangle',
    meaning: 'only its weights are quantized',
  },
  {
    key: 'activation_sqnr_db',
    name: 'activations only',
    color: 'activation',
    symbol: 'rect',
    meaning: 'only its input is quantized',
  },
];

export const measureOf = (key) => MEASURES.find((m) => m.key === key);

/** Those that at least one layer has. */
export const measured = (layers) =>
  MEASURES.filter(({ key }) => layers.some((l) => l[key] !== null));

/** Indexes of the layers that have `key`, least first. */
export function worstFirst(layers, key) {
  return layers
    .map((_, i) => i)
    .filter((i) => layers[i][key] !== null)
    .sort((a, b) => layers[a][key] - layers[b][key] || a - b);
}

/** Without the operator, which stands beside the name wherever it is shown: nn.conv2d 'stem' is stem. */
export function plainName({ name, op }) {
  const [before, after] = [`${op} '`, "'"];
  return name.startsWith(before) && name.endsWith(after) && name.length > before.length + 1
    ? name.slice(before.length, -1)
    : name;
}

/** What a layer computes on. */
export const runsIn = ({ integer, wide }) =>
  integer ? (wide ? '8 bits, input 16' : '8 bits') : 'float';

/** What a tooltip says about layer `i`. */
export function describeLayer(layers, i, theme) {
  const layer = layers[i];
  const rows = [
    ['operator', layer.op],
    ['runs in', runsIn(layer)],
  ];
  if (!layer.integer && layer.reason) rows.push(['why', layer.reason]);
  for (const { key, name, color } of MEASURES) {
    if (layer[key] !== null) rows.push([name, decibel(layer[key]), theme[color]]);
  }
  return { title: `${i + 1}. ${layer.name}`, rows };
}
