// Numbers as people read them. null (unknown, or not finite) is a dash everywhere.

const DASH = '–';
const MINUS = '−';

const known = (x) => typeof x === 'number' && Number.isFinite(x);

/** Fixed decimals, with a real minus sign. */
export function fixed(x, digits = 1) {
  if (!known(x)) return DASH;
  const text = Math.abs(x).toFixed(digits);
  return x < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** Three significant digits whatever the magnitude: scales, ranges. */
export function short(x) {
  if (!known(x)) return DASH;
  if (x === 0) return '0';
  const size = Math.abs(x);
  const text =
    size >= 1e5 || size < 1e-3 ? size.toExponential(2) : String(Number(size.toPrecision(3)));
  return x < 0 ? MINUS + text : text;
}

export const decibel = (x) => (known(x) ? `${fixed(x)} dB` : DASH);
export const percent = (x, digits = 1) => (known(x) ? `${fixed(100 * x, digits)} %` : DASH);

/** A difference of two fractions in percentage points, always with its sign. */
export function points(x, digits = 2) {
  if (!known(x)) return DASH;
  const text = fixed(100 * x, digits);
  return x > 0 ? `+${text}` : text;
}

function scaled(x, step, units) {
  let i = 0;
  while (i + 1 < units.length && Math.abs(x) >= step) {
    x /= step;
    ++i;
  }
  const digits = i === 0 || Math.abs(x) >= 100 ? 0 : 1;
  return `${fixed(x, digits).replace(/\.0$/, '')}${units[i] ? ` ${units[i]}` : ''}`;
}

export const count = (x) => (known(x) ? scaled(x, 1000, ['', 'K', 'M', 'G', 'T']) : DASH);
export const bytes = (x) => (known(x) ? scaled(x, 1000, ['bytes', 'kB', 'MB', 'GB']) : DASH);
export const milliseconds = (x) => (known(x) ? `${short(x)} ms` : DASH);
export const microseconds = (x) =>
  known(x) ? (x >= 1000 ? `${short(x / 1000)} ms` : `${short(x)} µs`) : DASH;
export const ratio = (a, b) =>
  known(a) && known(b) && b > 0 ? `${fixed(a / b, a / b < 10 ? 2 : 1)}×` : DASH;
export const shape = (dims) => (dims?.length ? dims.join(' × ') : DASH);

/** "1 layer", "20 layers". */
export const plural = (n, word, words = `${word}s`) => `${n} ${n === 1 ? word : words}`;

/** Which images the two networks were compared on. */
export function imagesOf({ images, source }) {
  if (source === 'labelled') return plural(images, 'labelled image');
  const unused = source === 'held out' ? ' that calibration did not use' : ` of the ${source}`;
  return plural(images, 'image') + unused;
}

/** The end of a long dotted name says more than its beginning. */
export function tail(name, length) {
  return name.length <= length ? name : `…${name.slice(name.length - length + 1)}`;
}
