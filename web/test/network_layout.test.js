import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boxesOf, ranksAndLanes, snake } from '../src/network_layout.js';

const node = (op, inputs, layer = null, domain = 'integer') => ({
  name: op,
  op,
  domain,
  inputs,
  layer,
});
const summary = (boxes) => boxes.map((b) => `${b.ops.join('+')} <- ${b.inputs.join(',')}`);

const merging = [
  [
    'a layer takes in the elementwise operators behind it',
    [node('input', []), node('conv', [0], 0), node('add', [1]), node('nn.relu', [2])],
    ['input <- ', 'conv+add+nn.relu <- 0'],
  ],
  [
    'two layers stay two boxes',
    [node('input', []), node('conv', [0], 0), node('conv', [1], 1)],
    ['input <- ', 'conv <- 0', 'conv <- 1'],
  ],
  [
    'what is not elementwise stays alone',
    [node('input', []), node('conv', [0], 0), node('pool', [1])],
    ['input <- ', 'conv <- 0', 'pool <- 1'],
  ],
  [
    'a change of domain starts a box',
    [node('input', []), node('conv', [0], 0), node('nn.relu', [1], null, 'float')],
    ['input <- ', 'conv <- 0', 'nn.relu <- 1'],
  ],
  [
    'what others read too stays visible',
    [node('input', []), node('conv', [0], 0), node('sigmoid', [1]), node('multiply', [1, 2])],
    ['input <- ', 'conv <- 0', 'sigmoid+multiply <- 1'],
  ],
  [
    'a sum joins the later of its branches',
    [node('input', []), node('conv', [0], 0), node('conv', [1], 1), node('add', [1, 2])],
    ['input <- ', 'conv <- 0', 'conv+add <- 1'],
  ],
  [
    'a sum of branches side by side reads the other one',
    [node('input', []), node('conv', [0], 0), node('conv', [0], 1), node('add', [1, 2])],
    ['input <- ', 'conv <- 0', 'conv+add <- 0,1'],
  ],
  [
    'one value used twice is one line',
    [node('input', []), node('pool', [0]), node('multiply', [1, 1])],
    ['input <- ', 'pool+multiply <- 0'],
  ],
  ['an operator of constants only', [node('add', [])], ['add <- ']],
  ['nothing', [], []],
];

for (const [name, nodes, expected] of merging) {
  test(name, () => assert.deepEqual(summary(boxesOf(nodes, true)), expected));
}

test('unmerged: a box per node', () => {
  const nodes = [node('input', []), node('conv', [0], 0), node('add', [1], 0)];
  assert.deepEqual(summary(boxesOf(nodes, false)), ['input <- ', 'conv <- 0', 'add <- 1']);
});

test('branches lie beside each other, what joins them behind the longest', () => {
  const boxes = boxesOf(
    [node('input', []), node('a', [0]), node('b', [0]), node('c', [2]), node('sum', [1, 3])],
    false,
  );
  assert.deepEqual(ranksAndLanes(boxes), [
    { rank: 0, lane: 0 },
    { rank: 1, lane: 0 },
    { rank: 1, lane: 1 },
    { rank: 2, lane: 1 },
    { rank: 3, lane: 0 },
  ]);
});

test('rows turn at their ends', () => {
  const chain = Array.from({ length: 7 }, (_, i) => node('x', i ? [i - 1] : []));
  const { places, height } = snake(boxesOf(chain, false), 3, { cell: 10, lane: 20, gap: 5 });
  assert.deepEqual(
    places.map((p) => [p.row, p.x]),
    [
      [0, 5],
      [0, 15],
      [0, 25],
      [1, 25],
      [1, 15],
      [1, 5],
      [2, 5],
    ],
  );
  assert.deepEqual([...new Set(places.map((p) => p.y))], [15, 40, 65]);
  assert.equal(height, 80);
});
