import { shape, tail } from '../format.js';
import { describeLayer } from '../measures.js';
import { boxesOf, snake } from '../network_layout.js';
import { Chart } from './chart.js';
import { tooltip } from './parts.js';

const CONTRACTION = /conv|dense|matmul/;

/**
 * The network in execution order with its integer and float regions.
 * @param {object} report @param {Shared} detailed every operator instead of every layer
 * @param {Shared} selected layer index; pressing a box chooses its layer
 */
export function networkChart({ graph, layers }, detailed, selected) {
  let boxes;
  let drawn; // places for a width, made once per redraw by the height and used by the option
  const layOut = (width) => {
    boxes = boxesOf(graph.nodes, !detailed.value);
    drawn = place(boxes, width);
    return drawn.height;
  };
  const chart = new Chart(
    'The network with its integer and float regions',
    layOut,
    ({ theme }) => option(boxes, drawn, layers, theme),
    ({ dataType, dataIndex }) => {
      if (dataType === 'node' && boxes[dataIndex].layer !== null)
        selected.set(boxes[dataIndex].layer);
    },
  );
  detailed.subscribe(() => chart.update());
  return chart;
}

/** Large cells with names for small networks, small ones for large. */
function place(boxes, width) {
  const named = boxes.length <= 90 && width >= 560;
  const wanted = named ? 78 : boxes.length <= 90 ? 44 : 26;
  const columns = Math.max(Math.floor(width / wanted), 4);
  const cell = width / columns;
  return {
    ...snake(boxes, columns, { cell, lane: named ? 46 : 26, gap: named ? 20 : 14 }),
    width,
    cell,
    named,
  };
}

function option(boxes, { places, width, height, cell, named }, layers, theme) {
  const hidden = { show: false, type: 'value', min: 0 };
  return {
    grid: { left: 0, right: 0, top: 0, bottom: 0 },
    xAxis: { ...hidden, max: width },
    yAxis: { ...hidden, max: height, inverse: true },
    tooltip: tooltip(theme, 'item', ({ dataType, dataIndex }) =>
      dataType === 'node' ? describeBox(boxes[dataIndex], layers, theme) : null,
    ),
    series: [
      regions(boxes, places, cell, named, theme),
      {
        type: 'graph',
        coordinateSystem: 'cartesian2d',
        z: 3,
        edgeSymbol: ['none', 'none'],
        data: boxes.map((box, i) => node(box, i, places[i], cell, named, theme)),
        links: boxes.flatMap((box, i) =>
          box.inputs.map((input) => link(input, i, places, named ? 30 : 22, theme)),
        ),
        emphasis: { focus: 'adjacency', lineStyle: { width: 2.5 } },
        lineStyle: { color: theme.muted, width: 1, opacity: 0.9 },
      },
    ],
  };
}

/** Tinted ground behind each box: neighbours of one domain grow together into a region. */
function regions(boxes, places, cell, named, theme) {
  const half = named ? 21 : 11;
  return {
    type: 'custom',
    silent: true,
    z: 1,
    clip: false,
    data: places.map(({ x, y }, i) => [x, y, i]),
    renderItem: (_, api) => {
      const [x, y] = api.coord([api.value(0), api.value(1)]);
      const integer = boxes[api.value(2)].domain === 'integer';
      return {
        type: 'rect',
        silent: true,
        shape: { x: x - cell / 2, y: y - half, width: cell + 0.5, height: 2 * half },
        style: { fill: integer ? theme.integerSoft : theme.floatSoft },
      };
    },
  };
}

const short = (op) =>
  op
    .replace(/^nn\./, '')
    .replace(/_?pool2d/, ' pool')
    .replaceAll('_', ' ');

function node(box, index, { x, y }, cell, named, theme) {
  const heavy = box.ops.some((op) => CONTRACTION.test(op));
  const integer = box.domain === 'integer';
  const size = (named ? 18 : 13) * (heavy ? 1 : 0.62);
  return {
    id: String(index),
    value: [x, y], // names need not be unique
    symbol: integer ? 'roundRect' : 'circle',
    symbolSize: size,
    itemStyle: {
      color: integer ? theme.integer : theme.float,
      borderColor: theme.surface,
      borderWidth: 1,
    },
    label: {
      show: named,
      position: 'bottom',
      distance: 3,
      fontSize: 10,
      color: theme.muted,
      formatter: tail(short(box.ops[0]), Math.floor(cell / 6)),
    },
  };
}

/**
 * Straight to a neighbour; an arc, `rise` pixels high at most, over what lies between otherwise.
 */
function link(source, target, places, rise, theme) {
  const [a, b] = [places[source], places[target]];
  const neighbours = a.row !== b.row ? a.column === b.column : Math.abs(a.column - b.column) <= 1;
  const backwards = b.x < a.x;
  return {
    source,
    target,
    lineStyle: {
      color: theme.muted,
      curveness: neighbours
        ? 0
        : (backwards ? -1 : 1) * Math.min(0.35, (2 * rise) / Math.hypot(a.x - b.x, a.y - b.y)),
    },
  };
}

function describeBox(box, layers, theme) {
  if (box.layer !== null && layers[box.layer]) {
    const about = describeLayer(layers, box.layer, theme);
    return {
      title: about.title,
      rows: [
        ['operators', box.ops.join(', ')],
        ['output', shape(layers[box.layer].output_shape)],
        ...about.rows.slice(1),
      ],
    };
  }
  return {
    title: box.name,
    rows: [
      ['operators', box.ops.join(', ')],
      ['runs in', box.domain === 'integer' ? '8 bits' : 'float'],
    ],
  };
}
