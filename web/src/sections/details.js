import { h, section } from '../dom.js';
import { count, shape } from '../format.js';
import { table } from '../table.js';

/** What accuracy control tried, step by step. */
export function controlSection({ accuracy_control: control }) {
  if (!control) return null;
  return section(
    'control',
    'Accuracy control',
    `The bound: ${control.bound}. Each step kept one more layer back.`,
    table(
      'Steps of accuracy control',
      [
        { title: 'step', value: (s) => s.number, numeric: true },
        { title: 'layer', value: (s) => s.layer, wide: true },
        { title: 'kept in', value: (s) => s.kept },
        { title: 'bought', value: (s) => s.gain },
        { title: 'for', value: (s) => s.cost },
      ],
      control.steps.map((step, i) => ({ ...step, number: i + 1 })),
    ),
  );
}

/** Everything that is needed to make the same files again. */
export function configurationSection({ configuration, model }) {
  const rows = [
    ...model.inputs.map((input) => ({
      key: `input ${input.name}`,
      value: `${shape(input.shape)} ${input.dtype}`,
    })),
    { key: 'graph', value: model.json },
    { key: 'parameters', value: model.params },
    { key: 'weights', value: count(model.weights) },
    { key: 'MACs of one run', value: count(model.macs) },
    ...Object.entries(configuration).map(([key, value]) => ({ key, value })),
  ];
  return section(
    'configuration',
    'Model and configuration',
    null,
    h(
      'details',
      {},
      h('summary', {}, 'Every value as it was used'),
      table(
        'Configuration',
        [
          { title: 'key', value: (r) => r.key },
          { title: 'value', value: (r) => r.value },
        ],
        rows,
      ),
    ),
  );
}
