#include "quant/calibration_counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/error.h"

namespace tvmq::quant {
namespace {

void add(const SparseCounts& from, SparseCounts& to) {
  if (from.empty()) return;
  if (to.empty()) to = SparseCounts(from.size());
  to.add(from);
}

bool contains(const std::vector<std::string>& sorted, const std::string& name) {
  return std::binary_search(sorted.begin(), sorted.end(), name);
}

}  // namespace

const CountedValue* CalibrationCounts::find(ir::NodeId node) const {
  const auto place = std::ranges::find(values, node, &CountedValue::node);
  return place == values.end() ? nullptr : &*place;
}

void CalibrationCounts::forget_histograms() {
  binned.clear();
  for (CountedValue& value : values) {
    value.statistics.histogram = {};
    value.statistics.lower_counts = {};
    value.statistics.selected_upper = 0;
  }
}

bool each_is_in(const std::vector<std::string>& wanted, const std::vector<std::string>& one,
                const std::vector<std::string>& other) {
  return std::ranges::all_of(wanted, [&](const std::string& name) {
    return contains(one, name) || contains(other, name);
  });
}

std::vector<std::string> in_both(const std::vector<std::string>& left,
                                 const std::vector<std::string>& right) {
  std::vector<std::string> result;
  std::ranges::set_intersection(left, right, std::back_inserter(result));
  return result;
}

std::vector<std::string> united(const std::vector<std::string>& left,
                                const std::vector<std::string>& right) {
  std::vector<std::string> result;
  std::ranges::set_union(left, right, std::back_inserter(result));
  return result;
}

void merge_counts(CalibrationCounts& counts, const CalibrationCounts& other, std::string_view name,
                  std::string_view other_name) {
  const auto fail = [&](std::string_view what) {
    throw InputError(fmt::format("{} and {} cannot be merged: {}", name, other_name, what));
  };
  if (counts.graph_hash != other.graph_hash) {
    fail("they counted different networks; make all parts with the same options of the quantizer");
  }
  const auto same_value = [](const CountedValue& a, const CountedValue& b) {
    return a.node == b.node && a.name == b.name;
  };
  if (!std::ranges::equal(counts.values, other.values, same_value)) {
    fail("they observed different values; make all parts with the same options of the quantizer");
  }
  const auto require_apart = [&](const std::vector<std::string>& left,
                                 const std::vector<std::string>& right) {
    const std::vector<std::string> shared = in_both(left, right);
    if (shared.empty()) return;
    fail(
        fmt::format("both counted {} ('{}'{}), but not only those; merge parts of different "
                    "images, all of which were begun with the same cache",
                    shared.size() == 1 ? "a sample" : fmt::format("{} samples", shared.size()),
                    shared[0], shared.size() > 1 ? ", ..." : ""));
  };
  counts.unreadable = united(counts.unreadable, other.unreadable);
  if (counts.ranged != other.ranged) {
    require_apart(counts.ranged, other.ranged);
    counts.ranged = united(counts.ranged, other.ranged);
    for (std::size_t i = 0; i < counts.values.size(); ++i) {
      ValueStatistics& to = counts.values[i].statistics;
      const ValueStatistics& from = other.values[i].statistics;
      to.range.merge(from.range);
      add(from.upper_counts, to.upper_counts);
    }
    counts.forget_histograms();
    return;
  }
  if (counts.binned == other.binned) return;
  require_apart(counts.binned, other.binned);
  counts.binned = united(counts.binned, other.binned);
  for (std::size_t i = 0; i < counts.values.size(); ++i) {
    ValueStatistics& to = counts.values[i].statistics;
    const ValueStatistics& from = other.values[i].statistics;
    if (to.range != from.range) fail("they disagree about the ranges of the same samples");
    add(from.histogram, to.histogram);
    add(from.lower_counts, to.lower_counts);
    to.selected_upper = std::max(to.selected_upper, from.selected_upper);
  }
}

}  // namespace tvmq::quant
