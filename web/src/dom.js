// Elements of the page. Everything that comes from a report goes through text nodes and properties,
// never through markup, so that no name in it can become an element.

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] `class`, `aria-*`, ... and event handlers as
 *        `onclick`
 * @param {...(Node | string | number | null | undefined | Array)} children null and
 *        undefined are left out
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'style') Object.assign(element.style, value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined) element.append(child);
  }
  return element;
}

/** A titled part of the page. `lead` is the sentence that says what to look for. */
export function section(id, title, lead, ...children) {
  return h(
    'section',
    { id, 'aria-labelledby': `${id}-title` },
    h('h2', { id: `${id}-title` }, title),
    lead ? h('p', { class: 'lead' }, lead) : null,
    children,
  );
}

/** A chart with its title, its explanation, and what belongs beside the title. */
export function figure(title, caption, chart, controls = null) {
  return h(
    'figure',
    {},
    h('div', { class: 'figure-head' }, h('h3', {}, title), controls),
    caption ? h('figcaption', {}, caption) : null,
    chart.element,
  );
}

/** @param {Array<[string, string]>} options pairs of value and text */
export function select(label, options, value, onchange) {
  const box = h(
    'select',
    { onchange: () => onchange(box.value) },
    options.map(([key, text]) => h('option', { value: key, selected: key === value }, text)),
  );
  return h('label', { class: 'control' }, `${label} `, box);
}

/** A button that puts `text()` on the clipboard and says so. */
export function copyButton(text, label = 'Copy') {
  const button = h(
    'button',
    {
      type: 'button',
      class: 'copy',
      onclick: async () => {
        const done = await copy(text());
        button.textContent = done ? 'Copied' : 'Select and copy by hand';
        setTimeout(() => {
          button.textContent = label;
        }, 1500);
      },
    },
    label,
  );
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // the clipboard interface is closed to pages opened from a file
  }
}

function copyBySelection(text) {
  const area = h('textarea', { class: 'offscreen' });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}

/** A value that several parts of the page show; listeners hear of every change. */
export class Shared {
  constructor(value) {
    this.value = value;
    this.listeners = [];
  }

  set(value) {
    if (value === this.value) return;
    this.value = value;
    for (const listener of this.listeners) listener(value);
  }

  subscribe(listener) {
    this.listeners.push(listener);
    listener(this.value);
  }
}
