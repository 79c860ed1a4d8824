#include "analysis/compare_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <unordered_map>

#include "analysis/float_outputs.h"
#include "analysis/sampling.h"
#include "base/error.h"
#include "exec/program.h"
#include "ir/infer_types.h"
#include "quant/calibrate_passes.h"

namespace tvmq::analysis {
namespace {

/// Some elements of a tapped value, with what must be the same for two to correspond.
struct Elements {
  std::vector<float> values;  ///< [position][channel]
  std::int64_t channels = 0;
  std::int64_t positions = 0;  ///< of the whole value
  std::int64_t axis = 0;       ///< of the channels, 0 if the value has one position per image
};

struct ChannelSums {
  double reference_squares = 0;
  double products = 0;
  double actual_squares = 0;
};

/// Per pair, per channel; empty: does not correspond.
using BatchSums = std::vector<std::vector<ChannelSums>>;

/// A graph whose values of interest are tapped as float32.
struct Tapped {
  std::shared_ptr<const exec::Program> program;
  std::unordered_map<ir::NodeId, std::vector<std::size_t>> pairs;  ///< by tapped node
};

Tapped compile(ir::Graph graph, const std::vector<LayerPair>& pairs, ir::NodeId LayerPair::*value) {
  Tapped result;
  std::vector<ir::NodeId> taps;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    ir::NodeId node = pairs[i].*value;
    if (graph[node].tensor_type().dtype != ir::DType::kFloat32) {
      node = graph.add_call(ir::Op::kCast, {node}, ir::CastAttrs{.dtype = ir::DType::kFloat32});
    }
    if (result.pairs[node].empty()) taps.push_back(node);
    result.pairs[node].push_back(i);
  }
  ir::infer_types(graph);
  result.program = std::make_shared<const exec::Program>(
      graph, exec::ProgramOptions{.targets = {}, .taps = std::move(taps), .threads = 1});
  return result;
}

Elements take(const exec::TapView& view, std::int64_t most, std::int64_t batch) {
  const std::int64_t positions = position_count(view);
  return {.values = gather(view, sample_positions(positions, most, batch)),
          .channels = view.channels,
          .positions = positions,
          .axis = view.inner == 1 && view.channel_axis == 1 ? 0 : view.channel_axis};
}

std::vector<ChannelSums> add_up(const Elements& reference, const Elements& actual) {
  if (reference.channels != actual.channels || reference.positions != actual.positions ||
      reference.axis != actual.axis || reference.values.size() != actual.values.size()) {
    return {};
  }
  const auto channels = static_cast<std::size_t>(reference.channels);
  std::vector<ChannelSums> sums(channels);
  for (std::size_t i = 0; i < reference.values.size(); ++i) {
    const double r = reference.values[i];
    const double a = actual.values[i];
    ChannelSums& sum = sums[i % channels];
    sum.reference_squares += r * r;
    sum.products += r * a;
    sum.actual_squares += a * a;
  }
  return sums;
}

void merge(std::vector<ChannelSums>& into, const std::vector<ChannelSums>& from) {
  if (into.empty()) into.resize(from.size());
  for (std::size_t c = 0; c < from.size(); ++c) {
    into[c].reference_squares += from[c].reference_squares;
    into[c].products += from[c].products;
    into[c].actual_squares += from[c].actual_squares;
  }
}

ComparedLayer compared(const std::vector<ChannelSums>& sums) {
  if (sums.empty()) return {};
  double total = 0;
  double explained = 0;
  for (const ChannelSums& sum : sums) {
    total += sum.reference_squares;
    if (sum.actual_squares > 0) explained += sum.products * sum.products / sum.actual_squares;
  }
  const double error = std::max(total - explained, 0.0);
  ComparedLayer result;
  // Sums in double cannot tell smaller errors from their own rounding.
  constexpr double kRounding = 1e-14;
  result.sqnr_db = error <= total * kRounding ? std::numeric_limits<double>::infinity()
                                              : 10 * std::log10(total / error);
  if (!std::isfinite(total)) result.sqnr_db = std::numeric_limits<double>::quiet_NaN();
  result.cosine = total > 0 ? std::sqrt(explained / total) : 1;
  return result;
}

}  // namespace

std::vector<ComparedLayer> compare_layers(const ir::Graph& reference, const ir::Graph& actual,
                                          const LayerMatching& matching,
                                          const quant::BatchSource& source,
                                          const CompareLayersOptions& options, Log& log) {
  require_same_inputs(reference, actual);
  const std::size_t pairs = matching.pairs.size();
  if (pairs == 0) return {};
  const Tapped left = compile(reference, matching.pairs, &LayerPair::reference_value);
  const Tapped right = compile(actual, matching.pairs, &LayerPair::actual_value);
  quant::BatchSource few = source;
  if (options.most_batches >= 0) few.batches = std::min(source.batches, options.most_batches);

  std::vector<BatchSums> sums(static_cast<std::size_t>(few.batches));
  const auto make_worker = [&]() -> quant::WorkOnBatch {
    return [&, before = std::make_shared<exec::Session>(left.program),
            after = std::make_shared<exec::Session>(right.program)](
               std::span<const ir::Tensor> inputs, std::int64_t batch) {
      std::vector<Elements> expected(pairs);
      before->run(inputs, [&](const exec::TapView& view) {
        for (const std::size_t i : left.pairs.at(view.node)) {
          expected[i] = take(view, options.most_positions, batch);
        }
      });
      BatchSums& result = sums[static_cast<std::size_t>(batch)];
      result.resize(pairs);
      after->run(inputs, [&](const exec::TapView& view) {
        for (const std::size_t i : right.pairs.at(view.node)) {
          result[i] = add_up(expected[i], take(view, options.most_positions, batch));
        }
      });
      return true;
    };
  };
  const quant::PassResult pass = quant::run_batches(
      few, {.title = options.title, .threads = options.threads}, make_worker, log);
  if (pass.batches == 0) {
    throw InputError(
        fmt::format("found no sample that can be read ({} batches tried)", pass.skipped));
  }
  std::vector<ComparedLayer> result;
  for (std::size_t i = 0; i < pairs; ++i) {
    std::vector<ChannelSums> all;
    for (const BatchSums& batch : sums) {
      if (!batch.empty()) merge(all, batch[i]);
    }
    result.push_back(compared(all));
  }
  return result;
}

}  // namespace tvmq::analysis
