// Random small networks of the operators that the passes care about, for property tests.
#pragma once

#include <random>
#include <vector>

#include "ir/graph.h"
#include "ir/infer_types.h"

namespace tvmq::passes {

/// Which scales a network multiplies with.
enum class Scales : std::uint8_t {
  kPositive,  ///< in [0.5, 2]
  kAny,       ///< negative ones and zeros too
};

class RandomNetwork {
 public:
  RandomNetwork(std::uint32_t seed, Scales scales) : random_(seed), scales_(scales) {}

  ir::Graph build() {
    value_ = graph_.add_input("x", ir::TensorType{ir::DType::kFloat32, {1, 4, 5, 5}});
    std::vector<ir::NodeId> values{value_};
    const int steps = pick(3, 10);
    for (int i = 0; i < steps; ++i) {
      // Mostly a chain; sometimes an older value gets a second consumer.
      const ir::NodeId from =
          pick(0, 9) == 0
              ? values[static_cast<std::size_t>(pick(0, static_cast<int>(values.size()) - 1))]
              : values.back();
      values.push_back(step(from));
    }
    graph_.set_output(head(values.back()));
    ir::infer_types(graph_);
    return std::move(graph_);
  }

  ir::Tensor tensor(ir::Shape shape, float low = -1, float high = 1) {
    ir::Tensor tensor(ir::DType::kFloat32, std::move(shape));
    std::uniform_real_distribution<float> values(low, high);
    for (float& each : tensor.mutable_data<float>()) each = values(random_);
    return tensor;
  }

 private:
  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  ir::NodeId constant(ir::Shape shape, float low = -1, float high = 1) {
    return graph_.add_constant(tensor(std::move(shape), low, high));
  }

  ir::NodeId scale(ir::Shape shape) {
    if (scales_ == Scales::kPositive) return constant(std::move(shape), 0.5F, 2.0F);
    ir::Tensor values = tensor(std::move(shape), -2, 2);
    if (pick(0, 2) == 0) values.mutable_data<float>()[0] = 0;
    return graph_.add_constant(std::move(values));
  }

  ir::NodeId conv(ir::NodeId x, std::int64_t groups) {
    const std::int64_t extent = pick(0, 1) == 0 ? 1 : 3;
    ir::Conv2DAttrs attrs;
    attrs.padding.assign(4, extent / 2);
    attrs.groups = groups;
    return graph_.add_call(ir::Op::kConv2D, {x, constant({4, 4 / groups, extent, extent})}, attrs);
  }

  ir::NodeId batch_norm(ir::NodeId x) {
    const ir::NodeId norm =
        graph_.add_call(ir::Op::kBatchNorm,
                        {x, scale({4}), constant({4}), constant({4}), constant({4}, 0.5F, 2.0F)},
                        ir::BatchNormAttrs{.center = pick(0, 4) > 0, .scale = pick(0, 4) > 0});
    return graph_.add_tuple_get_item(norm, 0);
  }

  /// A value of 1 x 4 x 5 x 5 from another one.
  ir::NodeId step(ir::NodeId x) {
    const auto binary = [&](ir::Op op, ir::NodeId other) {
      return pick(0, 2) == 0 ? graph_.add_call(op, {other, x}) : graph_.add_call(op, {x, other});
    };
    switch (pick(0, 13)) {
      case 0:
      case 1:
        return conv(x, 1);
      case 2:
        return conv(x, 4);
      case 3:
        return conv(x, 2);
      case 4:
      case 5:
        return batch_norm(x);
      case 6:
        return graph_.add_call(ir::Op::kRelu, {x});
      case 7:
        return graph_.add_call(ir::Op::kLeakyRelu, {x}, ir::LeakyReluAttrs{.alpha = 0.1});
      case 8:
        return binary(ir::Op::kMultiply, scale({4, 1, 1}));
      case 9:
        return binary(ir::Op::kMultiply, scale({}));
      case 10:
        return binary(pick(0, 1) == 0 ? ir::Op::kAdd : ir::Op::kSubtract, constant({1, 4, 1, 1}));
      case 11:
        return graph_.add_call(ir::Op::kBiasAdd, {x, constant({4})}, ir::BiasAddAttrs{});
      case 12:
        return graph_.add_call(ir::Op::kClip, {x}, ir::ClipAttrs{.a_min = 0, .a_max = 6});
      default: {
        ir::NodeId branch = conv(x, 1);
        if (pick(0, 1) == 0) branch = graph_.add_call(ir::Op::kRelu, {branch});
        return binary(ir::Op::kAdd, pick(0, 1) == 0 ? conv(branch, 1) : branch);
      }
    }
  }

  /// Half of the networks end in dense layers.
  ir::NodeId head(ir::NodeId x) {
    if (pick(0, 1) == 0) return x;
    const ir::NodeId flat = graph_.add_call(ir::Op::kBatchFlatten, {x});
    ir::NodeId y =
        graph_.add_call(ir::Op::kDense, {flat, constant({6, 100}, -0.2F, 0.2F)}, ir::DenseAttrs{});
    if (pick(0, 1) == 0) y = graph_.add_call(ir::Op::kMultiply, {y, scale({6})});
    if (pick(0, 1) == 0) y = graph_.add_call(ir::Op::kAdd, {y, constant({1, 6})});
    y = graph_.add_call(ir::Op::kRelu, {y});
    if (pick(0, 1) == 0) y = graph_.add_call(ir::Op::kMultiply, {scale({1, 6}), y});
    return graph_.add_call(ir::Op::kDense, {y, constant({3, 6})}, ir::DenseAttrs{});
  }

  std::mt19937 random_;
  Scales scales_;
  ir::Graph graph_;
  ir::NodeId value_ = 0;
};

}  // namespace tvmq::passes
