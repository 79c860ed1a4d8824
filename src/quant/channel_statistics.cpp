#include "quant/channel_statistics.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

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
  return sums;
}

ChannelSums exact(const BatchSums& batch, std::int64_t per_channel) {
  ChannelSums result{.per_channel = per_channel,
                     .low = batch.low,
                     .high = batch.high,
                     .sum = std::vector<ExactSum>(batch.sum.size()),
                     .squares = std::vector<ExactSum>(batch.sum.size())};
  for (std::size_t c = 0; c < batch.sum.size(); ++c) {
    result.sum[c].add(batch.sum[c]);
    result.squares[c].add(batch.squares[c]);
  }
  return result;
}

}  // namespace

void ChannelSums::merge(const ChannelSums& other) {
  if (other.per_channel == 0) return;
  if (per_channel == 0) {
    *this = other;
    return;
  }
  check(low.size() == other.low.size(), "sums of the same channels");
  per_channel += other.per_channel;
  for (std::size_t c = 0; c < low.size(); ++c) {
    low[c] = std::min(low[c], other.low[c]);
    high[c] = std::max(high[c], other.high[c]);
    sum[c].add(other.sum[c]);
    squares[c].add(other.squares[c]);
  }
}

ChannelStatistics ChannelSums::statistics() const {
  ChannelStatistics result{
      .count = per_channel, .low = low, .high = high, .mean = {}, .mean_square = {}};
  for (std::size_t c = 0; c < low.size(); ++c) {
    result.mean.push_back(sum[c].value() / static_cast<double>(per_channel));
    result.mean_square.push_back(squares[c].value() / static_cast<double>(per_channel));
  }
  return result;
}

std::vector<ChannelSums> sum_channels(const ir::Graph& graph, std::span<const ir::NodeId> values,
                                      const BatchSource& source,
                                      const ChannelStatisticsOptions& options, Log& log,
                                      std::vector<std::int64_t>* seen) {
  if (values.empty()) return {};
  std::vector<std::size_t> index_of(graph.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    check(index_of.at(values[i]) == values.size(), "each value once");
    index_of[values[i]] = i;
  }
  BatchSource few = source;
  few.batches = std::min(source.batches, options.most_batches);
  exec::ProgramOptions program_options{.targets = {values[0]}, .taps = {}};
  program_options.taps.assign(values.begin(), values.end());
  const auto program = std::make_shared<const exec::Program>(graph, std::move(program_options));
  std::vector<ChannelSums> sums(values.size());
  std::vector<std::mutex> mutexes(values.size());
  run_pass(
      program, few,
      {.title = options.title,
       .threads = options.threads,
       .finished =
           [&](std::int64_t batch) {
             if (seen != nullptr) seen->push_back(batch);
           }},
      [&](const exec::TapView& view, std::int64_t /*batch*/) {
        const auto elements = static_cast<std::int64_t>(view.elements.size());
        const ChannelSums of_batch = exact(sums_of(view), elements / view.channels);
        const std::size_t i = index_of[view.node];
        const std::lock_guard lock(mutexes[i]);
        sums[i].merge(of_batch);
        return true;
      },
      log);
  return sums;
}

std::vector<ChannelStatistics> observe_channels(const ir::Graph& graph,
                                                std::span<const ir::NodeId> values,
                                                const BatchSource& source,
                                                const ChannelStatisticsOptions& options, Log& log) {
  std::vector<ChannelStatistics> result;
  for (const ChannelSums& sums : sum_channels(graph, values, source, options, log)) {
    result.push_back(sums.statistics());
  }
  return result;
}

}  // namespace tvmq::quant
