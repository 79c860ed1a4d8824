#include "quant/weight_rounding.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace tvmq::quant {
namespace {

/// Few samples tell little about how elements vary together: the moments of n samples of m elements
/// are drawn towards a diagonal by this much of it, times 1 + m / n.
constexpr double kShrink = 0.01;

/// The lower triangle L of H = L L^T, row by row as a square matrix.
struct Factor {
  std::size_t size = 0;
  std::vector<std::size_t> order;  ///< element of the block at each row of H
  std::vector<float> lower;
  [[nodiscard]] float at(std::size_t i, std::size_t j) const { return lower[i * size + j]; }
};

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void
subtract_multiple(double* to, const double* from, double factor, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] -= factor * from[i];
}
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void
subtract_multiple(float* to, const float* from, float factor, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] -= factor * from[i];
}

/// H of a block, with elements ordered by how much they vary, the most at the end.
Factor factorize(const PatchBlock& block, std::int64_t samples, bool about_mean, double shift) {
  const std::size_t m = block.size;
  const auto n = static_cast<double>(samples);
  const auto moment = [&](std::size_t i, std::size_t j) {
    const std::size_t a = std::max(i, j);
    const std::size_t b = std::min(i, j);
    const double product = static_cast<double>(block.products[a * (a + 1) / 2 + b]) / n;
    const double mean_a = static_cast<double>(block.sums[a]) / n;
    const double mean_b = static_cast<double>(block.sums[b]) / n;
    const double covariance = product - mean_a * mean_b;
    return about_mean ? covariance : covariance + (mean_a + shift) * (mean_b + shift);
  };
  Factor result{.size = m, .order = std::vector<std::size_t>(m), .lower = {}};
  std::iota(result.order.begin(), result.order.end(), 0);
  std::vector<double> diagonal(m);
  for (std::size_t i = 0; i < m; ++i) diagonal[i] = moment(i, i);
  std::stable_sort(result.order.begin(), result.order.end(),
                   [&](std::size_t a, std::size_t b) { return diagonal[a] < diagonal[b]; });
  const double trace = std::accumulate(diagonal.begin(), diagonal.end(), 0.0);
  if (!(trace > 0)) return {};
  const double shrink = kShrink * (1 + static_cast<double>(m) / n) * trace / static_cast<double>(m);

  // Column by column, on columns that lie contiguously: column j holds rows j .. m - 1.
  std::vector<double> columns(m * m, 0);
  for (std::size_t j = 0; j < m; ++j) {
    for (std::size_t i = j; i < m; ++i) {
      columns[j * m + i] = moment(result.order[i], result.order[j]);
    }
    columns[j * m + j] += shrink;
  }
  result.lower.assign(m * m, 0);
  for (std::size_t j = 0; j < m; ++j) {
    double* column = &columns[j * m];
    const double root = std::sqrt(column[j]);
    for (std::size_t i = j; i < m; ++i) {
      column[i] /= root;
      result.lower[i * m + j] = static_cast<float>(column[i]);
    }
    for (std::size_t k = j + 1; k < m; ++k) {
      subtract_multiple(&columns[k * m + k], column + k, column[k], m - k);
    }
  }
  return result;
}

/// Rounds the elements of one block in `rows` rows of a weight that has `length` elements a row.
void round_block(const Factor& factor, std::size_t first, std::span<const float> scales,
                 std::size_t length, std::int32_t highest, const float* real,
                 std::int8_t* rounded) {
  const std::size_t rows = scales.size();
  const std::size_t m = factor.size;
  // What each row's weight should become, in steps, less what earlier errors ask for.
  std::vector<float> targets(m * rows);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t row = 0; row < rows; ++row) {
      targets[i * rows + row] = real[row * length + first + factor.order[i]] / scales[row];
    }
  }
  std::vector<float> wanted(targets);
  std::vector<float> errors(rows);
  for (std::size_t i = m; i-- > 0;) {
    for (std::size_t row = 0; row < rows; ++row) {
      const float level = std::clamp(std::round(targets[i * rows + row]),
                                     -static_cast<float>(highest), static_cast<float>(highest));
      rounded[row * length + first + factor.order[i]] = static_cast<std::int8_t>(level);
      errors[row] = level - wanted[i * rows + row];
    }
    for (std::size_t j = 0; j < i; ++j) {
      subtract_multiple(&targets[j * rows], errors.data(), factor.at(i, j) / factor.at(j, j), rows);
    }
  }
}

}  // namespace

QuantizedWeight round_weight(const ir::Tensor& weight, const PatchMoments& moments,
                             const IntegerOptions& options, bool keep_means) {
  check(moments.samples > 0, "moments of some samples");
  QuantizedWeight result = quantize_weight(weight, options.weight_scale, options.weight_granularity,
                                           options.weight_bits);
  const auto rows = static_cast<std::size_t>(weight.shape()[0]);
  const std::size_t length =
      static_cast<std::size_t>(weight.size()) / std::max(rows, std::size_t{1});
  const std::int32_t highest = (1 << (options.weight_bits - 1)) - 1;
  const auto real = weight.data<float>();
  auto rounded = result.values.mutable_data<std::int8_t>();
  for (const PatchBlock& block : moments.blocks) {
    const Factor factor = factorize(block, moments.samples, !keep_means, moments.shift);
    if (factor.size == 0) continue;
    const std::size_t row = moments.depthwise ? block.row : 0;
    const std::span<const float> scales =
        moments.depthwise ? std::span(result.scales).subspan(row, 1) : std::span(result.scales);
    round_block(factor, block.first, scales, length, highest, real.data() + row * length,
                rounded.data() + row * length);
  }
  for (std::size_t row = 0; row < rows; ++row) {
    const auto values = rounded.subspan(row * length, length);
    result.sums[row] = std::accumulate(values.begin(), values.end(), std::int32_t{0});
  }
  return result;
}

std::vector<QuantizedWeight> round_weights(const IntegerPlan& plan,
                                           std::span<const Interval> ranges,
                                           const IntegerOptions& options, bool keep_means,
                                           const BatchSource& source, const PatchOptions& patches,
                                           Log& log) {
  const auto stored = stored_parameters(plan, ranges, options.activation_bits);
  std::vector<QuantizedWeight> result(plan.graph.size());
  for (const std::vector<ir::NodeId>& layers : patch_groups(plan)) {
    const std::vector<PatchMoments> moments =
        observe_patches(plan, layers, stored, source, patches, log);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (moments[i].samples == 0) continue;
      const ir::NodeId weight = plan.graph[layers[i]].inputs[1];
      result[layers[i]] = round_weight(plan.graph[weight].value, moments[i], options, keep_means);
    }
  }
  return result;
}

}  // namespace tvmq::quant
