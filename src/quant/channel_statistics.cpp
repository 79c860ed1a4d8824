#include "quant/channel_statistics.h"

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "exec/program.h"
#include "quant/calibrate_passes.h"

namespace tvmq::quant {
namespace {

/// What one batch adds to the statistics of one value.
struct BatchSums {
  std::vector<double> low;
  std::vector<double> high;
  std::vector<double> sum;
  std::vector<double> squares;
  double per_channel = 0;  ///< elements of a channel
};

/// Elements lie as [outer][channels / block][inner][block] (exec::TapView).
BatchSums sums_of(const exec::TapView& view) {
  const auto channels = static_cast<std::size_t>(view.channels);
  const auto block = static_cast<std::size_t>(view.block);
  const auto inner = static_cast<std::size_t>(view.inner);
  BatchSums sums{.low = std::vector<double>(channels, 0),
                 .high = std::vector<double>(channels, 0),
                 .sum = std::vector<double>(channels, 0),
                 .squares = std::vector<double>(channels, 0)};
  std::size_t channel = 0;
  for (std::size_t start = 0; start < view.elements.size(); start += inner * block) {
    for (std::size_t lane = 0; lane < block; ++lane) {
      double low = 0;
      double high = 0;
      double sum = 0;
      double squares = 0;
      for (std::size_t i = 0; i < inner; ++i) {
        const auto x = static_cast<double>(view.elements[start + i * block + lane]);
        low = std::min(low, x);
        high = std::max(high, x);
        sum += x;
        squares += x * x;
      }
      sums.low[channel + lane] = std::min(sums.low[channel + lane], low);
      sums.high[channel + lane] = std::max(sums.high[channel + lane], high);
      sums.sum[channel + lane] += sum;
      sums.squares[channel + lane] += squares;
    }
    channel = (channel + block) % channels;
  }
  const std::size_t per_channel = view.elements.size() / channels;
  sums.per_channel = static_cast<double>(per_channel);
  return sums;
}

ChannelStatistics combine(const std::vector<BatchSums>& batches) {
  ChannelStatistics result;
  double count = 0;
  for (const BatchSums& batch : batches) {
    if (batch.sum.empty()) continue;
    const std::size_t channels = batch.sum.size();
    result.low.resize(channels, 0);
    result.high.resize(channels, 0);
    result.mean.resize(channels, 0);
    result.mean_square.resize(channels, 0);
    count += batch.per_channel;
    for (std::size_t c = 0; c < channels; ++c) {
      result.low[c] = std::min(result.low[c], batch.low[c]);
      result.high[c] = std::max(result.high[c], batch.high[c]);
      result.mean[c] += batch.sum[c];
      result.mean_square[c] += batch.squares[c];
    }
  }
  for (double& mean : result.mean) mean /= count;
  for (double& mean : result.mean_square) mean /= count;
  return result;
}

}  // namespace

std::vector<ChannelStatistics> observe_channels(const ir::Graph& graph,
                                                std::span<const ir::NodeId> values,
                                                const BatchSource& source,
                                                const ChannelStatisticsOptions& options, Log& log) {
  if (values.empty()) return {};
  std::vector<std::size_t> index_of(graph.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    check(index_of.at(values[i]) == values.size(), "each value once");
    index_of[values[i]] = i;
  }
  BatchSource few = source;
  few.batches = std::min(source.batches, options.most_batches);
  // Each batch writes into a place of its own, so threads need not wait for each other.
  std::vector<std::vector<BatchSums>> sums(
      values.size(), std::vector<BatchSums>(static_cast<std::size_t>(few.batches)));
  exec::ProgramOptions program_options{.targets = {values[0]}, .taps = {}};
  program_options.taps.assign(values.begin(), values.end());
  const auto program = std::make_shared<const exec::Program>(graph, std::move(program_options));
  run_pass(
      program, few, {.title = options.title, .threads = options.threads},
      [&](const exec::TapView& view, std::int64_t batch) {
        sums[index_of[view.node]][static_cast<std::size_t>(batch)] = sums_of(view);
        return true;
      },
      log);
  std::vector<ChannelStatistics> result;
  result.reserve(values.size());
  for (const auto& batches : sums) result.push_back(combine(batches));
  return result;
}

}  // namespace tvmq::quant
