#include "support/random_graph.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ir/infer_types.h"

namespace tvmq::support {
namespace {

using ir::NodeId;
using ir::Op;
using ir::Shape;

class Builder {
 public:
  explicit Builder(RandomNumbers& random) : random_(random), nhwc_(random.once_in(5)) {}

  ir::Graph build() {
    const std::int64_t channels = random_.one_of({4, 4, 8});
    const std::int64_t extent = random_.pick(5, 8);
    const std::int64_t batch = random_.once_in(8) ? 2 : 1;
    const Shape shape =
        nhwc_ ? Shape{batch, extent, extent, channels} : Shape{batch, channels, extent, extent};
    values_.push_back(graph_.add_input("data", ir::TensorType{ir::DType::kFloat32, shape}));
    if (random_.once_in(6)) {
      values_.push_back(graph_.add_input("aux", ir::TensorType{ir::DType::kFloat32, shape}));
    }
    const int steps = random_.pick(3, 11);
    for (int i = 0; i < steps; ++i) {
      if (const std::optional<NodeId> value = step(older_value())) values_.push_back(*value);
    }
    NodeId output = values_.back();
    if (random_.once_in(3)) output = head(output);
    if (random_.once_in(6)) {
      graph_.set_output(graph_.add_tuple({output, older_value()}));
    } else {
      graph_.set_output(output);
    }
    ir::infer_types(graph_);
    return std::move(graph_);
  }

 private:
  NodeId call(Op op, std::vector<NodeId> inputs, ir::Attrs attrs) {
    const NodeId id = graph_.add_call(op, std::move(inputs), std::move(attrs));
    graph_.set_type(id, ir::infer_type(graph_, id));
    return id;
  }
  NodeId call(Op op, std::vector<NodeId> inputs) {
    return call(op, std::move(inputs), ir::op_info(op).default_attrs);
  }
  NodeId tuple(std::vector<NodeId> fields) {
    const NodeId id = graph_.add_tuple(std::move(fields));
    graph_.set_type(id, ir::infer_type(graph_, id));
    return id;
  }
  NodeId field(NodeId of, std::int64_t index) {
    const NodeId id = graph_.add_tuple_get_item(of, index);
    graph_.set_type(id, ir::infer_type(graph_, id));
    return id;
  }
  NodeId constant(ir::Tensor value) {
    // Most weights come from the .params file, some are part of the network.
    std::string name;
    if (!random_.once_in(6)) name.append("p").append(std::to_string(parameters_++));
    const NodeId id = graph_.add_constant(std::move(value), std::move(name));
    graph_.set_type(id, ir::infer_type(graph_, id));
    return id;
  }
  NodeId constant(Shape shape, float low, float high) {
    return constant(random_.tensor(std::move(shape), low, high));
  }
  /// Of a layer whose sums have `terms` terms; sometimes powers of two only, or zeros.
  NodeId weight(Shape shape, std::int64_t terms) {
    const float size = random_.one_of({0.6F, 1.2F, 2.0F}) /
                       std::sqrt(static_cast<float>(std::max<std::int64_t>(terms, 1)));
    ir::Tensor values = random_.tensor(std::move(shape), -size, size);
    const int kind = random_.pick(0, 29);
    for (float& each : values.mutable_data<float>()) {
      if (kind == 0) each = 0;
      if (kind <= 2 && each != 0)
        each = std::copysign(std::exp2(std::round(std::log2(std::fabs(each)))), each);
    }
    return constant(std::move(values));
  }

  const Shape& shape(NodeId id) const { return graph_[id].tensor_type().shape; }
  std::size_t channel_axis() const { return nhwc_ ? 3 : 1; }
  std::size_t height_axis() const { return nhwc_ ? 1 : 2; }
  std::int64_t channels(NodeId id) const { return shape(id)[channel_axis()]; }
  std::int64_t extent(NodeId id) const {
    return std::min(shape(id)[height_axis()], shape(id)[height_axis() + 1]);
  }
  std::string layout() const { return nhwc_ ? "NHWC" : "NCHW"; }
  Shape per_channel(std::int64_t count) const { return nhwc_ ? Shape{count} : Shape{count, 1, 1}; }

  /// Mostly the newest, so that networks are deep.
  NodeId older_value() {
    std::size_t back = 1;
    while (back < values_.size() && random_.once_in(4)) ++back;
    return values_[values_.size() - back];
  }
  /// Another value of the same shape, or the same one.
  NodeId like(NodeId value) {
    std::vector<NodeId> fitting;
    for (const NodeId each : values_) {
      if (shape(each) == shape(value)) fitting.push_back(each);
    }
    return fitting.empty() ? value
                           : fitting[static_cast<std::size_t>(
                                 random_.pick(0, static_cast<int>(fitting.size()) - 1))];
  }

  NodeId convolution(NodeId x, std::int64_t out, std::int64_t groups,
                     std::optional<NodeId> shared) {
    const std::int64_t in = channels(x);
    const std::int64_t kernel = shared ? 1 : random_.one_of<std::int64_t>({1, 1, 3, 3, 2});
    const bool depthwise = groups > 1 && groups == in;
    const std::int64_t per_group = in / groups;
    Shape weight_shape{out, per_group, kernel, kernel};
    if (nhwc_) {
      weight_shape =
          depthwise ? Shape{kernel, kernel, in, out / in} : Shape{kernel, kernel, per_group, out};
    }
    const NodeId w = shared ? *shared : weight(weight_shape, per_group * kernel * kernel);
    ir::Conv2DAttrs attrs;
    attrs.groups = groups;
    attrs.data_layout = layout();
    attrs.kernel_layout = nhwc_ ? (depthwise ? "HWOI" : "HWIO") : "OIHW";
    if (random_.pick(0, 3) > 0) {
      attrs.channels = out;
      attrs.kernel_size = ir::IntList{kernel, kernel};
    }
    if (extent(x) >= 4 && random_.once_in(4)) attrs.strides = {2, random_.pick(1, 2)};
    if (extent(x) >= 5 && kernel == 3 && random_.once_in(6)) attrs.dilation = {2, 2};
    if (kernel > 1 && (random_.pick(0, 3) > 0 || extent(x) < 5)) {
      attrs.padding = {kernel / 2, kernel / 2, kernel / 2, kernel / 2};
      if (extent(x) >= 5 && random_.once_in(6)) attrs.padding = {0, 1, 1, 2};
    }
    return call(Op::kConv2D, {x, w}, attrs);
  }

  NodeId batch_norm(NodeId x) {
    const std::int64_t c = channels(x);
    const NodeId gamma = constant({c}, random_.once_in(4) ? -1.5F : 0.5F, 1.5F);
    const NodeId beta = constant({c}, -1, 1);
    const NodeId mean = constant({c}, -1, 1);
    const NodeId variance = constant({c}, 0.5F, 2);
    ir::BatchNormAttrs attrs;
    attrs.axis = static_cast<std::int64_t>(channel_axis());
    attrs.center = !random_.once_in(6);
    attrs.scale = !random_.once_in(6);
    return field(call(Op::kBatchNorm, {x, gamma, beta, mean, variance}, attrs), 0);
  }

  NodeId with_constant(Op op, NodeId x) {
    const std::int64_t c = channels(x);
    Shape shape = per_channel(c);
    const int kind = random_.pick(0, 8);
    if (kind == 0) shape = {};
    if (kind <= 2 && kind > 0) shape.insert(shape.begin(), nhwc_ ? 3 : 1, 1);
    const float low = op == Op::kMultiply && random_.pick(0, 2) > 0 ? 0.4F : -1.5F;
    const NodeId other = constant(std::move(shape), low, 1.5F);
    return random_.once_in(3) ? call(op, {other, x}) : call(op, {x, other});
  }

  NodeId pool(NodeId x) {
    const std::int64_t window = random_.pick(2, 3);
    const std::int64_t stride = random_.pick(1, 2);
    const std::int64_t pad = random_.once_in(3) ? 1 : 0;
    const bool ceil = random_.once_in(4);
    if (random_.once_in(2)) {
      return call(Op::kMaxPool2D, {x},
                  ir::MaxPool2DAttrs{.pool_size = {window, window},
                                     .strides = {stride, stride},
                                     .padding = {pad, pad, pad, pad},
                                     .layout = layout(),
                                     .out_layout = {},
                                     .ceil_mode = ceil});
    }
    return call(Op::kAvgPool2D, {x},
                ir::AvgPool2DAttrs{.pool_size = {window, window},
                                   .strides = {stride, stride},
                                   .padding = {pad, pad, pad, pad},
                                   .layout = layout(),
                                   .out_layout = {},
                                   .ceil_mode = ceil,
                                   .count_include_pad = random_.once_in(2)});
  }

  NodeId global_pool(NodeId x) {
    switch (random_.pick(0, 3)) {
      case 0:
        return call(Op::kGlobalMaxPool2D, {x}, ir::GlobalPool2DAttrs{layout(), {}});
      case 1:
        return call(Op::kMean, {x},
                    ir::ReduceAttrs{.axis = nhwc_ ? ir::IntList{1, 2} : ir::IntList{2, 3},
                                    .keepdims = true});
      case 2:
        return call(Op::kAdaptiveAvgPool2D, {x}, ir::AdaptivePool2DAttrs{{1, 1}, layout(), {}});
      default:
        return call(Op::kGlobalAvgPool2D, {x}, ir::GlobalPool2DAttrs{layout(), {}});
    }
  }

  NodeId concatenation(NodeId x) {
    std::vector<NodeId> parts{x};
    const int count = random_.one_of({2, 2, 3, 4});
    while (static_cast<int>(parts.size()) < count) {
      NodeId other = like(x);
      if (random_.once_in(4)) other = call(random_.one_of({Op::kRelu, Op::kSigmoid}), {other});
      if (random_.once_in(4)) other = convolution_like(other);
      parts.push_back(other);
    }
    return call(Op::kConcatenate, {tuple(parts)},
                ir::ConcatenateAttrs{static_cast<std::int64_t>(channel_axis())});
  }

  /// A pointwise convolution that keeps the shape.
  NodeId convolution_like(NodeId x) {
    const std::int64_t c = channels(x);
    ir::Conv2DAttrs attrs;
    attrs.data_layout = layout();
    attrs.kernel_layout = nhwc_ ? "HWIO" : "OIHW";
    attrs.channels = c;
    attrs.kernel_size = ir::IntList{1, 1};
    const NodeId w = weight(nhwc_ ? Shape{1, 1, c, c} : Shape{c, c, 1, 1}, c);
    return call(Op::kConv2D, {x, w}, attrs);
  }

  NodeId split(NodeId x) {
    const auto axis = static_cast<std::int64_t>(channel_axis());
    ir::SplitAttrs attrs{.indices_or_sections = std::int64_t{2}, .axis = axis};
    if (random_.once_in(3)) attrs.indices_or_sections = ir::IntList{1};
    const NodeId halves = call(Op::kSplit, {x}, attrs);
    if (random_.once_in(2)) return field(halves, random_.pick(0, 1));
    return call(Op::kConcatenate, {tuple({field(halves, 1), field(halves, 0)})},
                ir::ConcatenateAttrs{axis});
  }

  NodeId slice(NodeId x) {
    const auto axis = random_.once_in(2) ? channel_axis() : height_axis();
    if (random_.once_in(2)) {
      return call(Op::kStridedSlice, {x},
                  ir::StridedSliceAttrs{.begin = ir::IntList{0},
                                        .end = ir::IntList{(shape(x)[axis] + 1) / 2},
                                        .strides = ir::IntList{1},
                                        .axes = ir::IntList{static_cast<std::int64_t>(axis)}});
    }
    ir::IntList end(shape(x));
    end[axis] = (end[axis] + 1) / 2;
    return call(
        Op::kStridedSlice, {x},
        ir::StridedSliceAttrs{
            .begin = ir::IntList{0, 0, 0, 0}, .end = end, .strides = ir::IntList{1}, .axes = {}});
  }

  NodeId shuffle(NodeId x) {
    const Shape from = shape(x);
    const std::int64_t c = channels(x);
    if (nhwc_ || c % 2 != 0) {
      const NodeId there = call(Op::kTranspose, {x}, ir::TransposeAttrs{ir::IntList{0, 3, 1, 2}});
      const NodeId active = call(Op::kRelu, {there});
      return call(Op::kTranspose, {active}, ir::TransposeAttrs{ir::IntList{0, 2, 3, 1}});
    }
    const NodeId apart = call(Op::kReshape, {x},
                              ir::ReshapeAttrs{.newshape = {from[0], 2, c / 2, from[2], from[3]}});
    const NodeId swapped =
        call(Op::kTranspose, {apart}, ir::TransposeAttrs{ir::IntList{0, 2, 1, 3, 4}});
    return call(Op::kReshape, {swapped}, ir::ReshapeAttrs{.newshape = {0, -1, from[2], from[3]}});
  }

  NodeId pad(NodeId x) {
    ir::IntMatrix width(4, ir::IntList{0, 0});
    width[height_axis()] = {1, random_.pick(0, 1)};
    width[height_axis() + 1] = {random_.pick(0, 1), 1};
    return call(Op::kPad, {x, constant(random_.tensor({}, 0, 0))},
                ir::PadAttrs{.pad_width = width});
  }

  NodeId squeeze_and_excite(NodeId x) {
    const NodeId gate = call(Op::kSigmoid, {convolution_like(global_pool(x))});
    return random_.once_in(2) ? call(Op::kMultiply, {x, gate}) : call(Op::kMultiply, {gate, x});
  }

  NodeId residual(NodeId x) {
    NodeId branch = convolution_like(x);
    if (random_.once_in(2)) branch = batch_norm(branch);
    if (random_.once_in(2)) branch = call(Op::kRelu, {branch});
    if (random_.once_in(2)) branch = convolution_like(branch);
    return random_.once_in(2) ? call(Op::kAdd, {x, branch}) : call(Op::kAdd, {branch, x});
  }

  NodeId activation(NodeId x) {
    switch (random_.pick(0, 9)) {
      case 0:
        return call(Op::kLeakyRelu, {x}, ir::LeakyReluAttrs{.alpha = 0.1});
      case 1:
      case 2:
        return call(Op::kClip, {x},
                    ir::ClipAttrs{.a_min = random_.once_in(4) ? -1.0 : 0.0, .a_max = 6});
      case 3:
        return call(Op::kSigmoid, {x});
      case 4:
        return call(Op::kTanh, {x});
      case 5:
        return call(Op::kMultiply, {x, call(Op::kSigmoid, {x})});
      default:
        return call(Op::kRelu, {x});
    }
  }

  std::optional<NodeId> step(NodeId x) {
    const std::int64_t c = channels(x);
    switch (random_.pick(0, 27)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return convolution(x, random_.one_of<std::int64_t>({c, 4, 6}), 1, std::nullopt);
      case 5:
        return convolution(x, c, c, std::nullopt);
      case 6:
        if (c % 2 != 0) return std::nullopt;
        return convolution(x, c, 2, std::nullopt);
      case 7: {
        const NodeId first = convolution_like(x);
        return convolution(first, c, 1, graph_[first].inputs[1]);
      }
      case 8:
      case 9:
        return batch_norm(x);
      case 10:
      case 11:
        return call(Op::kBiasAdd, {x, constant({c}, -1, 1)},
                    ir::BiasAddAttrs{static_cast<std::int64_t>(channel_axis())});
      case 12:
      case 13:
        return with_constant(Op::kAdd, x);
      case 14:
      case 15:
        return with_constant(Op::kMultiply, x);
      case 16:
        return call(Op::kAdd, {x, like(x)});
      case 17:
        if (random_.once_in(2)) return call(Op::kSubtract, {x, like(x)});
        return call(Op::kMultiply, {x, like(x)});
      case 18:
        if (extent(x) < 4) return std::nullopt;
        return pool(x);
      case 19:
        return random_.once_in(2) ? global_pool(x) : squeeze_and_excite(x);
      case 20:
        if (c > 8) return std::nullopt;
        return concatenation(x);
      case 21:
        if (c < 2 || c % 2 != 0) return std::nullopt;
        return split(x);
      case 22:
        return slice(x);
      case 23:
        return random_.once_in(2) ? shuffle(x) : pad(x);
      case 24:
        return residual(x);
      case 25:
        if (random_.once_in(2)) return field(call(Op::kDropout, {x}), 0);
        return call(Op::kSoftmax, {x}, ir::SoftmaxAttrs{static_cast<std::int64_t>(channel_axis())});
      default:
        return activation(x);
    }
  }

  /// A classifier.
  NodeId head(NodeId x) {
    if (random_.once_in(2)) x = global_pool(x);
    NodeId flat = random_.once_in(2)
                      ? call(Op::kBatchFlatten, {x})
                      : call(Op::kReshape, {x}, ir::ReshapeAttrs{.newshape = {0, -1}});
    const std::int64_t in = shape(flat)[1];
    NodeId y = call(Op::kDense, {flat, weight({6, in}, in)});
    if (random_.once_in(2)) {
      y = call(Op::kBiasAdd, {y, constant({6}, -1, 1)}, ir::BiasAddAttrs{1});
    } else if (random_.once_in(2)) {
      y = call(Op::kAdd, {y, constant({1, 6}, -1, 1)});
    }
    if (random_.once_in(2)) {
      y = call(Op::kDense, {call(Op::kRelu, {y}), weight({3, 6}, 6)});
    }
    return random_.once_in(3) ? call(Op::kSoftmax, {y}) : y;
  }

  RandomNumbers& random_;
  bool nhwc_;
  ir::Graph graph_;
  std::vector<NodeId> values_;  ///< of rank 4
  int parameters_ = 0;
};

}  // namespace

ir::Graph random_graph(RandomNumbers& random) { return Builder(random).build(); }

}  // namespace tvmq::support
