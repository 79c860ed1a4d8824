import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inputOf, resultOf } from '../src/stored_tensors.js';

const node = (name, op, inputs, layer = null) => ({ name, op, inputs, layer, domain: 'integer' });

// data -> conv0 -> relu -> pool -> conv1 -> sum(conv1, pool) -> conv2
const report = {
  graph: {
    nodes: [
      node('data', 'input', []),
      node('conv0', 'nn.conv2d', [0], 0),
      node('relu', 'nn.relu', [1]),
      node('pool', 'nn.max_pool2d', [2]),
      node('conv1', 'nn.conv2d', [3], 1),
      node('sum', 'add', [4, 3]),
      node('conv2', 'nn.conv2d', [5], 2),
    ],
  },
  activations: [
    { name: "input 'data'", layer: null, node: 0 },
    { name: 'relu after conv0', layer: 0, node: 2 },
    { name: 'conv1', layer: 1, node: 4 },
    { name: 'sum', layer: null, node: 5 },
  ],
};
const name = (tensor) => tensor?.name ?? null;

test('what a layer gives', () => {
  assert.deepEqual(
    [0, 1, 2].map((layer) => name(resultOf(report, layer))),
    ['relu after conv0', 'conv1', null],
  );
});

test('what a layer reads: the nearest stored tensor before it', () => {
  assert.deepEqual(
    [0, 1, 2].map((layer) => name(inputOf(report, layer))),
    ["input 'data'", 'relu after conv0', 'sum'],
  );
});

test('what is not stored is passed over, on every branch', () => {
  const without = (...nodes) => ({
    ...report,
    activations: report.activations.filter((a) => !nodes.includes(a.node)),
  });
  assert.equal(name(inputOf(without(5), 2)), 'conv1');
  assert.equal(name(inputOf(without(5, 4), 2)), 'relu after conv0');
});

test('a layer without a node, or without anything stored before it', () => {
  assert.equal(inputOf(report, 9), null);
  assert.equal(inputOf({ ...report, activations: [] }, 2), null);
});
