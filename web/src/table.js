import { h } from './dom.js';

const collator = new Intl.Collator('en', { numeric: true });

/** Unknown values come last in either direction. */
export function compareCells(a, b, descending) {
  const missing = (x) => x === null || x === undefined || x === '';
  if (missing(a) || missing(b)) return Number(missing(a)) - Number(missing(b));
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(a, b);
  return descending ? -order : order;
}

/**
 * A table whose columns sort when their heads are pressed.
 * @param {string} label for screen readers
 * @param {Array<{title: string, value: (row) => unknown, show?: (row) => Node | string,
 *        numeric?: boolean,
 *          wide?: boolean}>} columns `value` sorts, `show` is what is seen (the value itself if
 *          left
 *        out), `wide` keeps long names from breaking after every word
 * @param {Array} rows
 * @param {{sort?: number, descending?: boolean, filter?: string, onrow?: (row) => void}} options
 */
export function table(label, columns, rows, options = {}) {
  let { sort = null, descending = false } = options;
  const lines = rows.map((row) => ({ row, element: line(columns, row, options.onrow) }));
  const body = h('tbody');
  const heads = columns.map((column, i) =>
    h(
      'th',
      { scope: 'col', class: column.numeric ? 'number' : null },
      h('button', { type: 'button', onclick: () => press(i) }, column.title),
    ),
  );

  function arrange() {
    if (sort !== null) {
      const { value } = columns[sort];
      lines.sort((a, b) => compareCells(value(a.row), value(b.row), descending));
    }
    heads.forEach((head, i) =>
      head.setAttribute('aria-sort', i !== sort ? 'none' : descending ? 'descending' : 'ascending'),
    );
    body.append(...lines.map((l) => l.element));
  }

  function press(i) {
    descending = i === sort ? !descending : false;
    sort = i;
    arrange();
  }

  arrange();
  const box = h(
    'div',
    { class: 'table-box', tabindex: '0', role: 'region', 'aria-label': label },
    h('table', {}, h('thead', {}, h('tr', {}, heads)), body),
  );
  if (!options.filter) return box;
  return h('div', {}, filterBox(options.filter, lines), box);
}

function line(columns, row, onrow) {
  return h(
    'tr',
    onrow ? { class: 'pressable', onclick: () => onrow(row) } : {},
    columns.map(({ value, show, numeric, wide }) =>
      h(
        'td',
        { class: numeric ? 'number' : wide ? 'wide' : null },
        show ? show(row) : String(value(row) ?? '–'),
      ),
    ),
  );
}

function filterBox(placeholder, lines) {
  const input = h('input', {
    type: 'search',
    placeholder,
    'aria-label': placeholder,
    oninput: () => {
      const wanted = input.value.toLowerCase();
      for (const { element } of lines) {
        element.hidden = !element.textContent.toLowerCase().includes(wanted);
      }
    },
  });
  return h('div', { class: 'filter' }, input);
}
