// What calibration has counted of a network's values so far, and on which samples: the state that a
// calibration cache keeps, that an interrupted calibration goes on from, and that calibrations of
// different samples are merged into.
//
//   first pass    every sample: ranges, zeros, upper bits of the magnitudes
//   second pass   every sample again: the histogram, whose edges depend on the ranges of all
//   samples
//
// Everything is a minimum, a maximum or an integer count, so counts of different samples add up to
// what one run over all of them counts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "quant/observer.h"

namespace tvmq::quant {

/// A value of the network that depends on the samples.
struct CountedValue {
  ir::NodeId node = 0;
  std::string name = {};  ///< ir::describe() of the node
  ValueStatistics statistics = {};
  bool operator==(const CountedValue&) const = default;
};

struct CalibrationCounts {
  std::string graph_hash = {};               ///< of the network that was observed
  std::vector<std::string> ranged = {};      ///< samples counted in the first pass, sorted
  std::vector<std::string> binned = {};      ///< samples counted in the second pass, sorted
  std::vector<std::string> unreadable = {};  ///< samples that could not be read, sorted
  std::vector<CountedValue> values = {};
  bool operator==(const CalibrationCounts&) const = default;

  /// The counts of `node`; null if there are none.
  [[nodiscard]] const CountedValue* find(ir::NodeId node) const;
  /// Forgets the second pass.
  void forget_histograms();
};

/// Whether every element of `wanted` is in one of the sorted lists.
bool each_is_in(const std::vector<std::string>& wanted, const std::vector<std::string>& one,
                const std::vector<std::string>& other);
/// Sorted lists: what is in both, and what is in any of them.
std::vector<std::string> in_both(const std::vector<std::string>& left,
                                 const std::vector<std::string>& right);
std::vector<std::string> united(const std::vector<std::string>& left,
                                const std::vector<std::string>& right);

/// Adds counts of other samples. Both have counted the same samples in a pass, or different ones;
/// where the first pass adds up, the ranges change, and the second pass is forgotten.
/// Throws InputError, with the names of both: counts of different networks or values, a sample that
/// both have counted beside others.
void merge_counts(CalibrationCounts& counts, const CalibrationCounts& other, std::string_view name,
                  std::string_view other_name);

}  // namespace tvmq::quant
