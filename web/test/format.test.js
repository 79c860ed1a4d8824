import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as format from '../src/format.js';

const cases = [
  ['fixed', [1.25, 1], '1.3'],
  ['fixed', [-0.01, 1], '0.0'],
  ['fixed', [-2, 0], '−2'],
  ['fixed', [null], '–'],
  ['fixed', [NaN], '–'],
  ['fixed', [Infinity], '–'],
  ['fixed', ['3'], '–'],
  ['short', [0], '0'],
  ['short', [0.012345], '0.0123'],
  ['short', [-1234.5], '−1230'],
  ['short', [0.00012345], '1.23e-4'],
  ['short', [1234567], '1.23e+6'],
  ['decibel', [24.31], '24.3 dB'],
  ['decibel', [null], '–'],
  ['percent', [0.984], '98.4 %'],
  ['percent', [null], '–'],
  ['points', [0.0025], '+0.25'],
  ['points', [-0.0025], '−0.25'],
  ['points', [0], '0.00'],
  ['count', [999], '999'],
  ['count', [1000], '1 K'],
  ['count', [28901376], '28.9 M'],
  ['count', [0], '0'],
  ['bytes', [24], '24 bytes'],
  ['bytes', [3900000], '3.9 MB'],
  ['bytes', [213e6], '213 MB'],
  ['microseconds', [502.31], '502 µs'],
  ['microseconds', [6130], '6.13 ms'],
  ['microseconds', [null], '–'],
  ['ratio', [18, 6], '3.00×'],
  ['ratio', [18, 0], '–'],
  ['ratio', [null, 2], '–'],
  ['shape', [[1, 3, 224, 224]], '1 × 3 × 224 × 224'],
  ['shape', [[]], '–'],
  ['shape', [undefined], '–'],
  ['plural', [1, 'layer'], '1 layer'],
  ['plural', [0, 'layer'], '0 layers'],
  ['tail', ['conv1', 8], 'conv1'],
  ['tail', ['features.block0.conv', 8], '…k0.conv'],
];

for (const [source, expected] of [
  ['held out', '1 image that calibration did not use'],
  ['labelled', '1 labelled image'],
  ['calibration', '1 image of the calibration'],
]) {
  test(`images: ${source}`, () => assert.equal(format.imagesOf({ images: 1, source }), expected));
}

for (const [name, args, expected] of cases) {
  test(`${name}(${JSON.stringify(args).slice(1, -1)}) is ${expected}`, () => {
    assert.equal(format[name](...args), expected);
  });
}
