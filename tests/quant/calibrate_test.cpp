#include "quant/calibrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <random>
#include <set>

#include "base/error.h"
#include "base/interrupted.h"
#include "ir/infer_types.h"
#include "quant/calibrate_net.h"
#include "quant/calibrate_passes.h"
#include "quant/observer_histogram.h"

namespace tvmq::quant {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What the net computes for all batches, value by value.
ValueStatistics expected_statistics(std::int64_t batches, bool clipped) {
  std::vector<float> all;
  for (std::int64_t batch = 0; batch < batches; ++batch) {
    for (const float x : sample(batch)) all.push_back(clipped ? std::max(x * 3, 0.0F) : x * 3);
  }
  ValueObserver observer({.percentile = true, .histogram = true});
  observer.observe_range(all, 0);
  observer.begin_histogram(percentile_rank(all.size()));
  observer.observe_histogram(all);
  return observer.statistics();
}

class RecordingLog final : public Log {
 public:
  void write(LogLevel level, std::string_view line) override {
    if (level == LogLevel::kWarning) warnings.emplace_back(line);
  }
  void progress(std::string_view title, std::int64_t done, std::int64_t total) override {
    EXPECT_FALSE(busy.exchange(true)) << "two threads in the log";
    titles.emplace(title);
    EXPECT_LE(done, total);
    busy.store(false);
  }
  std::vector<std::string> warnings;
  std::set<std::string> titles;
  std::atomic<bool> busy = false;
};

std::string error_of(const ir::Graph& graph, std::vector<ir::NodeId> observed,
                     const BatchSource& source, const CalibrateOptions& options) {
  NullLog log;
  try {
    calibrate(graph, observed, source, options, log);
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

TEST(Calibrate, FindsTheThresholdOfEveryModeFromAllSamples) {
  const Net net = small_net();
  NullLog log;
  for (const ThresholdMode& mode : threshold_modes()) {
    const CalibrationTable table = calibrate(net.graph, std::vector{net.scaled, net.clipped},
                                             samples(9), {.mode = mode.mode, .threads = 2}, log);
    ASSERT_EQ(table.entries.size(), 2U);
    for (const bool clipped : {false, true}) {
      const ValueStatistics statistics = expected_statistics(9, clipped);
      EXPECT_EQ(table.entries[clipped ? 1 : 0].threshold, mode.threshold(statistics, {}))
          << mode.name;
    }
    EXPECT_EQ(table.mode, mode.mode);
    EXPECT_EQ(table.graph_hash, graph_hash(net.graph));
  }
}

TEST(Calibrate, RecordsWhatItSaw) {
  const Net net = small_net();
  NullLog log;
  const CalibrationTable table =
      calibrate(net.graph, std::vector{net.clipped}, samples(4),
                {.mode = CalibMode::kMinMax, .preprocessing = "as it is"}, log);
  const RangeStatistics range = expected_statistics(4, true).range;
  EXPECT_EQ(table.samples, 4);
  EXPECT_EQ(table.preprocessing, "as it is");
  const CalibrationEntry& entry = table.entries.at(0);
  EXPECT_THAT(entry.name, HasSubstr("clipped"));
  EXPECT_EQ(entry.absmax, range.absmax());
  EXPECT_EQ(entry.min, 0.0F);
  EXPECT_EQ(entry.max, range.max);
  EXPECT_EQ(entry.count, 4 * kElements);
  EXPECT_EQ(entry.zeros, static_cast<std::int64_t>(range.zeros));
  EXPECT_THAT(entry.histogram, IsEmpty());
}

TEST(Calibrate, WhatWasCountedServesEveryMode) {
  const Net net = small_net();
  NullLog log;
  const std::vector observed{net.scaled, net.clipped};
  CalibrationCounts counts;
  EXPECT_TRUE(count_samples(net.graph, observed, samples(5), {}, counts, log));
  for (const ThresholdMode& mode : threshold_modes()) {
    if (!mode.needs_samples) continue;
    const CalibrationTable fresh =
        calibrate(net.graph, observed, samples(5), {.mode = mode.mode}, log);
    const CalibrationTable derived = table_of(net.graph, observed, counts, {.mode = mode.mode});
    for (std::size_t i = 0; i < observed.size(); ++i) {
      EXPECT_EQ(derived.entries[i].threshold, fresh.entries[i].threshold) << mode.name;
    }
  }
}

TEST(Calibrate, GivesTheSameBytesForAnyNumberOfThreads) {
  const Net net = small_net();
  NullLog log;
  std::vector<CalibrationTable> tables;
  for (const int threads : {1, 2, 7}) {
    tables.push_back(calibrate(
        net.graph, std::vector{net.input, net.scaled, net.clipped}, samples(23),
        {.mode = CalibMode::kKlDivergence, .threads = threads, .keep_histograms = true}, log));
  }
  EXPECT_EQ(tables[0], tables[1]);
  EXPECT_EQ(tables[0], tables[2]);
}

TEST(Calibrate, GlobalScaleTouchesNoSample) {
  const Net net = small_net();
  RecordingLog log;
  const BatchSource source{.batches = 3,
                           .load = [](std::int64_t) -> std::optional<std::vector<ir::Tensor>> {
                             throw InternalError("a sample was asked for");
                           },
                           .describe = {}};
  const CalibrationTable table = calibrate(
      net.graph, std::vector{net.scaled, net.factor}, source,
      {.mode = CalibMode::kGlobalScale, .global_scale = 6.5F, .keep_histograms = true}, log);
  EXPECT_EQ(table.entries.at(0).threshold, 6.5F);
  EXPECT_EQ(table.entries.at(1).threshold, 6.5F);
  EXPECT_EQ(table.samples, 0);
  EXPECT_THAT(log.titles, IsEmpty());
}

TEST(Calibrate, ObservesAValueTwiceAndConstants) {
  const Net net = small_net();
  NullLog log;
  const CalibrationTable table =
      calibrate(net.graph, std::vector{net.scaled, net.factor, net.scaled}, samples(2),
                {.mode = CalibMode::kMse, .mse_steps = {127, 127, 255}}, log);
  EXPECT_NEAR(table.entries[1].threshold, 3.0F, 0.001F);
  EXPECT_EQ(table.entries[1].absmax, 3.0F);
  EXPECT_EQ(table.entries[1].count, 1);
  EXPECT_EQ(table.entries[0].count, 2 * kElements);
  EXPECT_EQ(table.entries[2].count, 2 * kElements);
}

TEST(Calibrate, OfConstantsNeedsNoSample) {
  const Net net = small_net();
  NullLog log;
  const CalibrationTable table =
      calibrate(net.graph, std::vector{net.factor}, {}, {.mode = CalibMode::kPercentile}, log);
  EXPECT_EQ(table.entries.at(0).threshold, 3.0F);
}

TEST(Calibrate, MakesOnePassWhereTheRangeIsEnough) {
  const Net net = small_net();
  std::atomic<int> loads = 0;
  BatchSource source = samples(6);
  source.load = [&](std::int64_t batch) {
    ++loads;
    return std::optional(std::vector{tensor_of(sample(batch))});
  };
  RecordingLog log;
  calibrate(net.graph, std::vector{net.clipped}, source, {.mode = CalibMode::kMinMax}, log);
  EXPECT_EQ(loads.exchange(0), 6);
  calibrate(net.graph, std::vector{net.clipped}, source, {.mode = CalibMode::kMse}, log);
  EXPECT_EQ(loads, 12);
  EXPECT_EQ(log.titles, (std::set<std::string>{"calibration", "calibration, pass 1 of 2",
                                               "calibration, pass 2 of 2"}));
}

TEST(Calibrate, LeavesOutWhatCannotBeReadAndSaysSo) {
  const Net net = small_net();
  BatchSource source = samples(6);
  source.load = [](std::int64_t batch) {
    return batch % 3 == 1 ? std::nullopt : std::optional(std::vector{tensor_of(sample(batch))});
  };
  RecordingLog log;
  const CalibrationTable table =
      calibrate(net.graph, std::vector{net.clipped}, source, {.mode = CalibMode::kMse}, log);
  EXPECT_EQ(table.samples, 4);
  EXPECT_EQ(table.entries[0].count, 4 * kElements);
  ASSERT_EQ(log.warnings.size(), 1U);
  EXPECT_THAT(log.warnings[0], HasSubstr("2 of 6 batches"));
}

TEST(Calibrate, RefusesWhenNothingCanBeRead) {
  const Net net = small_net();
  BatchSource source = samples(3);
  source.load = [](std::int64_t) { return std::optional<std::vector<ir::Tensor>>(); };
  EXPECT_THAT(error_of(net.graph, {net.clipped}, source, {.mode = CalibMode::kMse}),
              HasSubstr("none of 3 batches"));
  EXPECT_THAT(error_of(net.graph, {net.clipped}, samples(0), {.mode = CalibMode::kMse}),
              HasSubstr("none of 0 batches"));
}

TEST(Calibrate, RefusesSamplesThatChange) {
  const Net net = small_net();
  std::atomic<int> loads = 0;
  BatchSource source = samples(4);
  source.load = [&](std::int64_t batch) {
    return ++loads == 8 ? std::nullopt : std::optional(std::vector{tensor_of(sample(batch))});
  };
  EXPECT_THAT(error_of(net.graph, {net.clipped}, source, {.mode = CalibMode::kMse}),
              HasSubstr("4 batches could be read the first time, 3 the second"));
}

TEST(Calibrate, NamesTheLayerAndTheSampleOfNaN) {
  const Net net = small_net();
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (const int threads : {1, 2, 7}) {
      BatchSource source = samples(40);
      source.load = [&](std::int64_t batch) {
        std::vector<float> values = sample(batch);
        if (batch == 11 || batch == 12 || batch == 30) values[123] = bad;
        if (batch == 14) throw InputError("never the one to report");
        return std::optional(std::vector{tensor_of(values)});
      };
      EXPECT_THAT(error_of(net.graph, {net.scaled, net.clipped}, source,
                           {.mode = CalibMode::kKlDivergence, .threads = threads}),
                  AllOf(HasSubstr("scaled"), HasSubstr("NaN"), HasSubstr("batch 11")));
    }
  }
}

TEST(Calibrate, PassesOnWhatTheFirstFailingBatchThrew) {
  const Net net = small_net();
  for (const int threads : {1, 2, 7}) {
    BatchSource source = samples(40);
    source.load = [&](std::int64_t batch) {
      if (batch >= 9) throw InputError("cannot read batch " + std::to_string(batch));
      return std::optional(std::vector{tensor_of(sample(batch))});
    };
    EXPECT_EQ(
        error_of(net.graph, {net.clipped}, source, {.mode = CalibMode::kMse, .threads = threads}),
        "cannot read batch 9");
  }
}

/// Asks for an end as soon as so many batches are done.
class StoppingLog final : public Log {
 public:
  explicit StoppingLog(std::int64_t batches) : batches_(batches) {}
  void write(LogLevel /*level*/, std::string_view /*line*/) override {}
  void progress(std::string_view /*title*/, std::int64_t done, std::int64_t /*total*/) override {
    done_.store(done);
  }
  [[nodiscard]] bool stop_requested() const override { return done_.load() >= batches_; }
  [[nodiscard]] std::int64_t done() const { return done_.load(); }

 private:
  std::int64_t batches_;
  std::atomic<std::int64_t> done_ = 0;
};

TEST(Calibrate, EndsSoonAfterItWasAskedTo) {
  const Net net = small_net();
  for (const int threads : {1, 4}) {
    StoppingLog log(3);
    EXPECT_THROW(calibrate(net.graph, std::vector{net.scaled}, samples(1000),
                           {.mode = CalibMode::kMinMax, .threads = threads}, log),
                 Interrupted);
    EXPECT_GE(log.done(), 3);
    EXPECT_LE(log.done(), 3 + threads) << "only what was being worked on is finished";
  }
}

TEST(Calibrate, AnEndThatWasAskedForComesBeforeFailures) {
  const Net net = small_net();
  StoppingLog log(1);
  BatchSource source = samples(1000);
  source.load = [&](std::int64_t batch) -> std::optional<std::vector<ir::Tensor>> {
    if (batch > 0) throw InputError("cannot be read");
    return std::vector{tensor_of(sample(batch))};
  };
  EXPECT_THROW(calibrate(net.graph, std::vector{net.scaled}, source,
                         {.mode = CalibMode::kMinMax, .threads = 1}, log),
               Interrupted);
}

TEST(Calibrate, UsesNoMoreThreadsThanThereIsMemoryFor) {
  EXPECT_EQ(threads_in_memory(8, 100, 10'000), 8);
  EXPECT_EQ(threads_in_memory(8, 1000, 10'000), 5) << "half of it";
  EXPECT_EQ(threads_in_memory(8, 1'000'000, 10'000), 1) << "at least one";
  EXPECT_EQ(threads_in_memory(3, 0, 10'000), 3);
}

TEST(Calibrate, RefusesConstantsThatAreNotFloat) {
  Net net = small_net();
  const ir::NodeId integer = net.graph.add_constant(ir::Tensor::scalar(std::int32_t{3}));
  EXPECT_THAT(error_of(net.graph, {integer}, samples(1), {.mode = CalibMode::kMinMax}),
              HasSubstr("only float32"));
}

}  // namespace
}  // namespace tvmq::quant
