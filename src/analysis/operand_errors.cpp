#include "analysis/operand_errors.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "exec/layer_patch.h"

namespace tvmq::analysis {
namespace {

/// The patch as [channel][kernel row][kernel column].
void gather_patch(const exec::LayerPatch& input, const exec::ImageWindow& window,
                  std::span<float> patch) {
  std::size_t at = 0;
  for (std::int64_t channel = 0; channel < window.channels; ++channel) {
    for (std::int64_t i = 0; i < window.kernel_height; ++i) {
      for (std::int64_t j = 0; j < window.kernel_width; ++j) patch[at++] = input.at(channel, i, j);
    }
  }
}

/// Rounds as the quantized network does: halves up.
float rounding_error(float value, const Grid& grid) {
  if (grid.scale == 0) return -value;
  const float level = std::floor(value / grid.scale + static_cast<float>(grid.zero_point) + 0.5F);
  const float held =
      std::clamp(level, static_cast<float>(grid.lowest), static_cast<float>(grid.highest));
  return (held - static_cast<float>(grid.zero_point)) * grid.scale - value;
}

struct Products {
  float weight = 0;
  float activation = 0;
  float both = 0;
};

/// The three sums over a patch.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) Products multiply(
    const float* w, const float* dw, const float* x, const float* dx, std::size_t size) {
  constexpr std::size_t kLanes = 16;
  std::array<float, kLanes> of_weight{};
  std::array<float, kLanes> of_input{};
  std::array<float, kLanes> of_both{};
  const auto add = [&](std::size_t lane, std::size_t i) {
    of_weight[lane] += dw[i] * x[i];
    of_input[lane] += w[i] * dx[i];
    of_both[lane] += dw[i] * dx[i];
  };
  const std::size_t whole = size / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) add(lane, i + lane);
  }
  for (std::size_t i = whole; i < size; ++i) add(i - whole, i);
  Products sums;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    sums.weight += of_weight[lane];
    sums.activation += of_input[lane];
    sums.both += of_both[lane];
  }
  sums.both += sums.weight + sums.activation;
  return sums;
}

}  // namespace

OperandErrors operand_errors(const ir::Graph& graph, ir::NodeId layer,
                             const OperandRounding& rounding, const exec::TapView& input,
                             std::span<const std::int64_t> positions) {
  const exec::LayerWindow window = exec::layer_window(graph, layer);
  const auto patch_size = static_cast<std::size_t>(window.image.channels * window.kernel_size());
  std::vector<float> patches(positions.size() * patch_size);
  for (std::size_t p = 0; p < positions.size(); ++p) {
    gather_patch({input, window, positions[p]}, window.image,
                 std::span(patches).subspan(p * patch_size, patch_size));
  }
  std::vector<float> errors(patches.size());
  std::ranges::transform(patches, errors.begin(),
                         [&](float value) { return rounding_error(value, rounding.grid); });

  const ir::NodeId weight_node = graph[layer].inputs[1];
  const ir::Node& operand = graph[weight_node];
  const ir::Tensor& weight =
      operand.is_constant() ? operand.value : graph[operand.inputs.at(0)].value;
  const std::int64_t rows = weight.shape().at(0);
  const auto row_size = static_cast<std::size_t>(weight.size() / rows);
  check(row_size * static_cast<std::size_t>(window.groups) == patch_size,
        "a row of the weight covers the channels of its group");
  const auto values = weight.data<float>();
  std::vector<float> difference(row_size);
  const std::size_t total = positions.size() * static_cast<std::size_t>(rows);
  OperandErrors result{.weight = std::vector<float>(total),
                       .activation = std::vector<float>(total),
                       .both = std::vector<float>(total)};
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* w = values.data() + static_cast<std::size_t>(row) * row_size;
    rounding.rounded_row(row, difference);
    for (std::size_t i = 0; i < row_size; ++i) difference[i] -= w[i];
    const std::size_t group_start =
        static_cast<std::size_t>(row / (rows / window.groups)) * row_size;
    for (std::size_t p = 0; p < positions.size(); ++p) {
      const std::size_t start = p * patch_size + group_start;
      const Products sums =
          multiply(w, difference.data(), patches.data() + start, errors.data() + start, row_size);
      const std::size_t at = p * static_cast<std::size_t>(rows) + static_cast<std::size_t>(row);
      result.weight[at] = sums.weight;
      result.activation[at] = sums.activation;
      result.both[at] = sums.both;
    }
  }
  return result;
}

}  // namespace tvmq::analysis
