// What the page computes from a report before it draws.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeReport } from '../fixtures/make_report.mjs';
import { bins } from '../src/charts/histogram.js';
import { ends } from '../src/charts/tensor_ranges.js';
import { channels } from '../src/charts/channel_ranges.js';
import { measured, plainName, runsIn, worstFirst } from '../src/measures.js';
import { byKind } from '../src/sections/latency.js';
import { skipElement } from '../src/sections/skip.js';
import { byReason } from '../src/sections/network.js';
import { compareCells } from '../src/table.js';

test('made-up reports are the same every time', () => {
  assert.deepEqual(makeReport(20), makeReport(20));
  assert.equal(makeReport(400).layers.length, 400);
});

test('worst first: float layers have no ratio and are left out, equals keep their order', () => {
  const layers = [30, null, 10, 10, 20].map((isolated_sqnr_db) => ({ isolated_sqnr_db }));
  assert.deepEqual(worstFirst(layers, 'isolated_sqnr_db'), [2, 3, 4, 0]);
});

test('names of layers without their operator', () => {
  assert.equal(plainName({ name: "nn.conv2d 'aten::conv_0'", op: 'nn.conv2d' }), 'aten::conv_0');
  assert.equal(plainName({ name: "nn.conv2d ''", op: 'nn.conv2d' }), "nn.conv2d ''");
  assert.equal(plainName({ name: 'stem', op: 'nn.conv2d' }), 'stem');
});

test('what a layer computes on', () => {
  assert.equal(runsIn({ integer: true, wide: false }), '8 bits');
  assert.equal(runsIn({ integer: true, wide: true }), '8 bits, input 16');
  assert.equal(runsIn({ integer: false, wide: false }), 'float');
});

test('only ratios that some layer has are shown', () => {
  const none = {
    accumulated_sqnr_db: null,
    isolated_sqnr_db: null,
    weight_sqnr_db: null,
    activation_sqnr_db: null,
  };
  assert.deepEqual(measured([none]).length, 0);
  assert.deepEqual(
    measured([none, { ...none, weight_sqnr_db: 3 }]).map((m) => m.key),
    ['weight_sqnr_db'],
  );
});

test('float layers by reason, most work first', () => {
  const layer = (name, reason, macs, integer = false) => ({ name, reason, macs, integer });
  const groups = byReason([
    layer('a', 'grouped', 1),
    layer('b', '', 60, true),
    layer('c', 'skipped', 19),
    layer('d', 'skipped', 20),
  ]);
  assert.deepEqual(
    groups.map((g) => [g.reason, g.names, g.share]),
    [
      ['skipped', ['c', 'd'], 0.39],
      ['grouped', ['a'], 0.01],
    ],
  );
});

test('times by kind of operator; what a network does not have counts nothing', () => {
  const kinds = byKind([
    { op: 'dense', float_us: 1, integer_us: null },
    { op: 'conv2d', float_us: 5, integer_us: 2 },
    { op: 'dense', float_us: 3, integer_us: 1 },
  ]);
  assert.deepEqual(kinds, [
    { name: 'conv2d', float_us: 5, integer_us: 2 },
    { name: 'dense', float_us: 4, integer_us: 1 },
  ]);
});

test('SkipLayers is XML, whatever layers are called', () => {
  const layers = [{ skip_line: 'stem' }, { skip_line: '"a, <b> & c"' }];
  assert.equal(skipElement(layers), '<SkipLayers>stem, "a, &lt;b&gt; &amp; c"</SkipLayers>');
});

test('bins of a histogram', () => {
  assert.deepEqual(bins({ low: -1, high: 1, counts: [3, 4] }), [
    [-1, 0, 3],
    [0, 1, 4],
  ]);
});

test('ranges as they are, or as shares of the largest magnitude', () => {
  const tensor = { low: -1, high: 2, observed_low: -4, observed_high: 3 };
  assert.deepEqual(ends(tensor, false), [-4, 3, -1, 2]);
  assert.deepEqual(ends(tensor, true), [-1, 0.75, -0.25, 0.5]);
  assert.deepEqual(
    ends({ low: 0, high: 0, observed_low: null, observed_high: null }, true),
    [0, 0, 0, 0],
  );
});

test('channels in order, or the widest first', () => {
  const range = { low: [-1, -5, 0], high: [2, 1, 5] };
  assert.deepEqual(
    channels(range, false).map((c) => c.channel),
    [0, 1, 2],
  );
  assert.deepEqual(
    channels(range, true).map((c) => c.channel),
    [1, 2, 0],
  );
});

test('cells: numbers by size, names with numbers in them too, unknown last both ways', () => {
  const sorted = (list, descending) => [...list].sort((a, b) => compareCells(a, b, descending));
  assert.deepEqual(sorted([10, null, 9], false), [9, 10, null]);
  assert.deepEqual(sorted([10, null, 9], true), [10, 9, null]);
  assert.deepEqual(sorted(['conv10', 'conv9', ''], false), ['conv9', 'conv10', '']);
});
