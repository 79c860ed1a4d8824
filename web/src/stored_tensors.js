/**
 * The stored tensor that a layer gives: the first that names it.
 * @returns {object | null} an entry of `activations`
 */
export function resultOf({ activations }, layer) {
  return activations.find((a) => a.layer === layer) ?? null;
}

/**
 * The stored tensor that a layer reads: the nearest before it in the graph. Of a sum or another meeting
 * of branches it is the one on the first branch.
 * @returns {object | null} an entry of `activations`
 */
export function inputOf({ graph, activations }, layer) {
  const stored = new Map(activations.map((a) => [a.node, a]));
  const start = graph.nodes.findIndex((node) => node.layer === layer);
  const waiting = start < 0 ? [] : [...graph.nodes[start].inputs];
  const seen = new Set();
  for (const i of waiting) {
    if (stored.has(i)) return stored.get(i);
    if (!seen.has(i)) waiting.push(...graph.nodes[i].inputs);
    seen.add(i);
  }
  return null;
}
