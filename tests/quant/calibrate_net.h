// A network and samples for the tests of calibration.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "ir/infer_types.h"
#include "quant/count_samples.h"

namespace tvmq::quant {

inline constexpr std::int64_t kElements = 500;

/// x -> multiply by 3 "scaled" -> relu "clipped"; and a constant.
struct Net {
  ir::Graph graph;
  ir::NodeId input = 0;
  ir::NodeId factor = 0;
  ir::NodeId scaled = 0;
  ir::NodeId clipped = 0;
};

inline Net small_net() {
  Net net;
  net.input = net.graph.add_input("x", ir::TensorType{ir::DType::kFloat32, {1, kElements}});
  net.factor = net.graph.add_constant(ir::Tensor::scalar(3.0F), "factor");
  net.scaled = net.graph.add_call(ir::Op::kMultiply, {net.input, net.factor}, {}, "scaled");
  net.clipped = net.graph.add_call(ir::Op::kRelu, {net.scaled}, {}, "clipped");
  net.graph.set_output(net.clipped);
  ir::infer_types(net.graph);
  return net;
}

inline std::vector<float> sample(std::int64_t batch) {
  std::mt19937 generator(static_cast<std::uint32_t>(batch) + 1);
  std::vector<float> values(kElements);
  for (float& each : values) {
    each = (static_cast<float>(generator() % 20'001) - 10'000.0F) / 10'000.0F;
  }
  return values;
}

inline ir::Tensor tensor_of(const std::vector<float>& values) {
  return ir::Tensor::from<float>({1, kElements}, std::span<const float>(values));
}

inline BatchSource samples(std::int64_t batches) {
  return {
      .batches = batches,
      .load =
          [](std::int64_t batch) { return std::optional(std::vector{tensor_of(sample(batch))}); },
      .describe = [](std::int64_t batch) { return "batch " + std::to_string(batch); }};
}

}  // namespace tvmq::quant
