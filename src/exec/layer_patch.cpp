#include "exec/layer_patch.h"

#include "ir/window.h"

namespace tvmq::exec {

LayerWindow layer_window(const ir::Graph& graph, ir::NodeId layer) {
  const ir::Node& node = graph[layer];
  const ir::Shape& in = graph[node.inputs[0]].tensor_type().shape;
  LayerWindow window{.batch = in.at(0), .channels = in.at(1)};
  if (node.op == ir::Op::kDense) return window;
  const auto& attrs = node.attrs_as<ir::Conv2DAttrs>();
  const ir::Shape& out = node.tensor_type().shape;
  const ir::Shape& weight = graph[node.inputs[1]].tensor_type().shape;
  const ir::IntList sides = ir::before_and_behind(attrs.padding, 2);
  const ir::IntList strides = ir::per_axis(attrs.strides, 2);
  const ir::IntList dilation = ir::per_axis(attrs.dilation, 2);
  window.height = in.at(2);
  window.width = in.at(3);
  window.out_height = out.at(2);
  window.out_width = out.at(3);
  window.kernel_height = weight.at(2);
  window.kernel_width = weight.at(3);
  window.stride_y = strides.at(0);
  window.stride_x = strides.at(1);
  window.dilation_y = dilation.at(0);
  window.dilation_x = dilation.at(1);
  window.top = sides.at(0);
  window.left = sides.at(1);
  window.groups = attrs.groups;
  return window;
}

}  // namespace tvmq::exec
