// The colours of the charts are those of the style sheet, so that light, dark and print have one
// home.

const NAMES = [
  'text',
  'muted',
  'line',
  'surface',
  'integer',
  'integer-soft',
  'float',
  'float-soft',
  'accumulated',
  'isolated',
  'weight',
  'activation',
  'accent',
  'bad',
];

/** @returns {Record<string, string>} */
export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const theme = {};
  for (const name of NAMES) {
    theme[name.replace(/-(\w)/g, (_, c) => c.toUpperCase())] = style
      .getPropertyValue(`--${name}`)
      .trim();
  }
  theme.font = getComputedStyle(document.body).fontFamily;
  return theme;
}
