import { bars } from '../charts/bars.js';
import { figure, section } from '../dom.js';
import { bytes } from '../format.js';

export function sizesSection({ sizes }) {
  const rows = [
    { name: 'float', json: sizes.float_json, params: sizes.float_params },
    { name: 'integer', json: sizes.integer_json, params: sizes.integer_params },
  ];
  return section(
    'sizes',
    'Files',
    'The quantized weights are constants inside the .json, as base64 text; ' +
      'its .params is an empty dictionary.',
    figure(
      'Size on disk',
      null,
      bars(
        'Size of the files',
        rows,
        [
          { name: '.json', color: 'accumulated', value: (r) => r.json },
          { name: '.params', color: 'isolated', value: (r) => r.params },
        ],
        { unit: 'size', format: bytes, stacked: true },
      ),
    ),
  );
}
