// Statistics per channel of values of the network, over a few samples.
//
// For what changes the network before or after calibration: equalization wants to know how much of
// its tensor's range each channel uses, bias correction how its mean moved. Both need far fewer
// samples than ranges do.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/log.h"
#include "ir/graph.h"
#include "quant/calibrate.h"
#include "quant/exact_sum.h"

namespace tvmq::quant {

/// Of one value with channels along axis 1; one element per channel.
struct ChannelStatistics {
  std::int64_t count = 0;    ///< elements of a channel that were seen
  std::vector<double> low;   ///< the smallest element, at most 0
  std::vector<double> high;  ///< the largest element, at least 0
  std::vector<double> mean;
  std::vector<double> mean_square;
};

/// What the statistics of one value are made from: of any samples, in any order, the same bits.
/// Sums of different samples can be merged.
struct ChannelSums {
  std::int64_t per_channel = 0;  ///< elements of a channel; 0: nothing was seen, no channels known
  std::vector<double> low = {};  ///< per channel, as above
  std::vector<double> high = {};
  std::vector<ExactSum> sum = {};
  std::vector<ExactSum> squares = {};
  bool operator==(const ChannelSums&) const = default;

  /// REQUIRES: as many channels, unless one of them saw nothing.
  void merge(const ChannelSums& other);
  [[nodiscard]] ChannelStatistics statistics() const;
};

struct ChannelStatisticsOptions {
  std::string_view title;         ///< of the progress
  std::int64_t most_batches = 0;  ///< the first so many batches of the source
  int threads = 0;                ///< 0: all cores; does not change the result
};

/// The sums of `values`, in their order. Of a batch they are taken in double, batches are added
/// without rounding. `seen`: each batch that could be read, in any order.
/// REQUIRES: each value occurs once, is a float32 tensor of rank >= 2, not a constant.
std::vector<ChannelSums> sum_channels(const ir::Graph& graph, std::span<const ir::NodeId> values,
                                      const BatchSource& source,
                                      const ChannelStatisticsOptions& options, Log& log,
                                      std::vector<std::int64_t>* seen = nullptr);

/// The statistics of `values`, in their order; an empty result for a value that no batch reached.
/// The same bits for any number of threads. REQUIRES: as sum_channels().
std::vector<ChannelStatistics> observe_channels(const ir::Graph& graph,
                                                std::span<const ir::NodeId> values,
                                                const BatchSource& source,
                                                const ChannelStatisticsOptions& options, Log& log);

}  // namespace tvmq::quant
