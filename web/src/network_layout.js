// Where the boxes of the network go: execution runs in rows like a path through a field, left to
// right, then right to left, so that a chain of hundreds of operators stays in sight without
// zooming.

/**
 * @typedef {{name: string, ops: string[], domain: string, layer: number | null, inputs: number[]}}
 * Box
 */

/**
 * One box for a layer and what runs inside its kernel (bias, activation), if `merge`; otherwise one
 * per node. A node joins the box of its first input if they belong to one layer and one domain, and
 * if nothing else it needs comes later than that box.
 * @returns {Box[]} inputs are indexes of earlier boxes, without repetition
 */
export function boxesOf(nodes, merge) {
  const boxes = [];
  const boxOf = [];
  nodes.forEach((node, i) => {
    const home =
      merge && node.layer !== null && node.inputs.length ? boxOf[node.inputs[0]] : undefined;
    const joins =
      home !== undefined &&
      boxes[home].layer === node.layer &&
      boxes[home].domain === node.domain &&
      node.inputs.every((input) => boxOf[input] <= home);
    if (!joins) {
      boxes.push({ name: node.name, ops: [], domain: node.domain, layer: node.layer, inputs: [] });
    }
    boxOf[i] = joins ? home : boxes.length - 1;
    const box = boxes[boxOf[i]];
    box.ops.push(node.op);
    for (const input of node.inputs) {
      if (boxOf[input] !== boxOf[i] && !box.inputs.includes(boxOf[input]))
        box.inputs.push(boxOf[input]);
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
