// Where the boxes of the network go: execution runs in rows like a path through a field, left to
// right, then right to left, so that a chain of hundreds of operators stays in sight without
// zooming.

/**
 * @typedef {{name: string, ops: string[], domain: string, layer: number | null, inputs: number[]}}
 * Box
 */

// Operators that work element by element: they run inside the kernel of what they follow.
const ELEMENTWISE = new Set(
  (
    'add subtract multiply divide maximum minimum clip sigmoid tanh exp log sqrt rsqrt erf abs ' +
    'negative power cast nn.relu nn.leaky_relu nn.prelu nn.bias_add nn.batch_norm nn.dropout annotation.cast_hint annotation.stop_fusion'
  ).split(' '),
);

/**
 * One box per layer with the elementwise operators that follow it, if `merge`; otherwise one per node.
 * An operator joins the box of its last input if nobody else reads that and both are of one domain.
 * @returns {Box[]} inputs are indexes of earlier boxes, without repetition
 */
export function boxesOf(nodes, merge) {
  const users = nodes.map(() => 0);
  for (const { inputs } of nodes) for (const input of new Set(inputs)) ++users[input];
  const boxes = [];
  const boxOf = [];
  nodes.forEach((node, i) => {
    const last = Math.max(...node.inputs);
    const joins =
      merge &&
      node.inputs.length > 0 &&
      ELEMENTWISE.has(node.op) &&
      (node.layer === null || node.layer === boxes[boxOf[last]].layer) &&
      users[last] === 1 &&
      boxes[boxOf[last]].domain === node.domain &&
      node.inputs.every((input) => boxOf[input] <= boxOf[last]);
    boxOf[i] = joins ? boxOf[last] : boxes.length;
    if (!joins) {
      boxes.push({ name: node.name, ops: [], domain: node.domain, layer: node.layer, inputs: [] });
    }
    const box = boxes[boxOf[i]];
    box.ops.push(node.op);
    for (const input of node.inputs) {
      const from = boxOf[input];
      if (from !== boxOf[i] && !box.inputs.includes(from)) box.inputs.push(from);
    }
  });
  return boxes;
}

/** Longest path from an input of the network to each box, and a lane beside others that far. */
export function ranksAndLanes(boxes) {
  const taken = []; // taken[rank]: lanes in use
  const places = [];
  for (const { inputs } of boxes) {
    const rank = inputs.length ? 1 + Math.max(...inputs.map((input) => places[input].rank)) : 0;
    taken[rank] ??= new Set();
    const wished = inputs.length ? Math.min(...inputs.map((input) => places[input].lane)) : 0;
    let lane = wished;
    while (taken[rank].has(lane)) ++lane;
    taken[rank].add(lane);
    places.push({ rank, lane });
  }
  return places;
}

/**
 * @param {Box[]} boxes
 * @param {number} columns ranks in one row
 * @param {{cell: number, lane: number, gap: number}} size pixels: width of a rank, height of
 *        a lane,
 *        room above each row
 * @returns {{places: Array<{x, y, row, column}>, height: number}} centres of the boxes
 */
export function snake(boxes, columns, { cell, lane, gap }) {
  const spots = ranksAndLanes(boxes);
  const lanes = []; // lanes[row]: how many this row needs
  for (const spot of spots) {
    const row = Math.floor(spot.rank / columns);
    lanes[row] = Math.max(lanes[row] ?? 1, spot.lane + 1);
  }
  const tops = [];
  let height = 0;
  for (let row = 0; row < lanes.length; ++row) {
    tops[row] = height + gap;
    height = tops[row] + (lanes[row] ?? 1) * lane;
  }
  const places = spots.map(({ rank, lane: at }) => {
    const row = Math.floor(rank / columns);
    const along = rank % columns;
    const column = row % 2 ? columns - 1 - along : along;
    return { x: (column + 0.5) * cell, y: tops[row] + (at + 0.5) * lane, row, column };
  });
  return { places, height: height + gap };
}
