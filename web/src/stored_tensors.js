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
export function inputOf(report, layer) {
  const { nodes } = report.graph;
  const start = nodes.findIndex((node) => node.layer === layer);
  const seen = new Set();
  const waiting = start < 0 ? [] : [...nodes[start].inputs];
  for (const i of waiting) {
    if (seen.has(i)) continue;
    seen.add(i);
    const found = storedAt(report, nodes[i]);
    if (found) return found;
    waiting.push(...nodes[i].inputs);
  }
  return null;
}

function storedAt(report, { layer, inputs, name }) {
  if (layer !== null) return resultOf(report, layer);
  if (inputs.length) return null;
  return report.activations.find((a) => a.layer === null && a.name.includes(name)) ?? null;
}
