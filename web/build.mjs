// Bundles src/ into one page without any reference to the outside, and writes it as C++ source:
//
//   node build.mjs OUTPUT_DIRECTORY
//
// OUTPUT_DIRECTORY/report_page.html   the page with {{data}} where a report's JSON belongs
// OUTPUT_DIRECTORY/report_page.cpp    the two halves around {{data}}, for src/report/html.cpp

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const output = process.argv[2];
if (!output) throw new Error('usage: node build.mjs OUTPUT_DIRECTORY');

async function bundle(entry) {
  const result = await build({
    entryPoints: [join(here, 'src', entry)],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: ['es2020'],
    charset: 'ascii',
    legalComments: 'none',
    // echarts asks for this one to leave its development checks out.
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  return result.outputFiles[0].text.trimEnd();
}

/** The licences that the bundled libraries ask to be kept with them. */
function notice() {
  const of = (name) => JSON.parse(readFileSync(join(here, 'node_modules', name, 'package.json')));
  const names = ['echarts', 'zrender', 'tslib'].map((name) => {
    const { version, license } = of(name);
    return `${name} ${version} (${license})`;
  });
  return `/* Contains ${names.join(', ')}. */`;
}

/** `text` as adjacent C++ string literals, one for every few thousand characters. */
function cppLiteral(text) {
  const escaped = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\t': '\\t' };
  const lines = text
    .match(/[^]{1,4000}/g)
    .map(
      (part) => `    "${part.replace(/[\\"\n\t]/g, (c) => escaped[c]).replaceAll('??', '?""?')}"`,
    );
  return lines.join('\n');
}

const script = `${notice()}${await bundle('main.js')}`;
const style = await bundle('style/style.css');
if (/<\/(script|style)/i.test(script + style))
  throw new Error('the bundle would end its own element');
const hash = createHash('sha256').update(script).digest('base64');

const parts = {
  // Nothing is loaded, and no script runs but this one, whatever the report contains.
  policy:
    `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; ` +
    "img-src data:; base-uri 'none'; form-action 'none'",
  style,
  script,
  data: '{{data}}',
};
const page = readFileSync(join(here, 'src', 'page.html'), 'utf8').replace(
  /\{\{(\w+)\}\}/g,
  (_, name) => parts[name],
);
const [before, after] = page.split('{{data}}');

mkdirSync(output, { recursive: true });
writeFileSync(join(output, 'report_page.html'), page);
writeFileSync(
  join(output, 'report_page.cpp'),
  `// Written by web/build.mjs.
#include "report/report_page.h"

namespace tvmq::report {

std::string_view page_before_data() {
  return
${cppLiteral(before)};
}

std::string_view page_after_data() {
  return
${cppLiteral(after)};
}

}  // namespace tvmq::report
`,
);
