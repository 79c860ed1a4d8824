#include "exec/layer_patch.h"

#include "ir/window.h"

namespace tvmq::exec {

LayerWindow layer_window(const ir::Graph& graph, ir::NodeId layer) {
  const ir::Node& node = graph[layer];
  const ir::Shape& in = graph[node.inputs[0]].tensor_type().shape;
  const std::int64_t batch = in.at(0);
  if (node.op == ir::Op::kDense) return {.batch = batch, .image = {.channels = in.at(1)}};
  const auto& attrs = node.attrs_as<ir::Conv2DAttrs>();
  const ir::Shape& out = node.tensor_type().shape;
  const ir::Shape& weight = graph[node.inputs[1]].tensor_type().shape;
  const ir::IntList sides = ir::before_and_behind(attrs.padding, 2);
  const ir::IntList strides = ir::per_axis(attrs.strides, 2);
  const ir::IntList dilation = ir::per_axis(attrs.dilation, 2);
  return {.batch = batch,
          .groups = attrs.groups,
          .image = {.channels = in.at(1),
                    .data_height = in.at(2),
                    .data_width = in.at(3),
                    .result_height = out.at(2),
                    .result_width = out.at(3),
                    .kernel_height = weight.at(2),
                    .kernel_width = weight.at(3),
                    .stride_y = strides.at(0),
                    .stride_x = strides.at(1),
                    .dilation_y = dilation.at(0),
                    .dilation_x = dilation.at(1),
                    .top = sides.at(0),
                    .left = sides.at(1)}};
}

}  // namespace tvmq::exec
