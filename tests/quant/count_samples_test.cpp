#include "quant/count_samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/error.h"
#include "base/interrupted.h"
#include "quant/calibrate_net.h"

namespace tvmq::quant {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The batches from `first` to before `end` of samples().
BatchSource some_samples(std::int64_t first, std::int64_t end) {
  BatchSource source = samples(end - first);
  source.load = [first](std::int64_t batch) {
    return std::optional(std::vector{tensor_of(sample(first + batch))});
  };
  source.name = [first](std::int64_t batch) { return "image " + std::to_string(first + batch); };
  return source;
}

CalibrationCounts count_all(const Net& net, std::int64_t batches) {
  NullLog log;
  CalibrationCounts counts;
  count_samples(net.graph, std::vector{net.scaled, net.clipped}, some_samples(0, batches), {},
                counts, log);
  return counts;
}

TEST(CountSamples, PartsAddUpToOneRun) {
  const Net net = small_net();
  NullLog log;
  const std::vector observed{net.scaled, net.clipped};
  const BatchSource left = some_samples(0, 4);
  const BatchSource right = some_samples(4, 9);
  CountOptions options{.planned = names_of(some_samples(0, 9))};
  CalibrationCounts merged;
  for (int pass = 0; pass < 2; ++pass) {
    CalibrationCounts a = merged;
    CalibrationCounts b = merged;
    EXPECT_FALSE(count_samples(net.graph, observed, left, options, a, log));
    EXPECT_FALSE(count_samples(net.graph, observed, right, options, b, log));
    merge_counts(a, b, "a", "b");
    merged = a;
  }
  EXPECT_EQ(merged, count_all(net, 9));
}

TEST(CountSamples, RangesOfOtherSamplesMakeHistogramsWrong) {
  const Net net = small_net();
  CalibrationCounts counts = count_all(net, 3);
  NullLog log;
  CalibrationCounts other;
  count_samples(net.graph, std::vector{net.scaled, net.clipped}, some_samples(3, 5), {}, other,
                log);
  merge_counts(counts, other, "a", "b");
  EXPECT_EQ(counts.ranged.size(), 5U);
  EXPECT_THAT(counts.binned, IsEmpty());
  EXPECT_THAT(counts.values[0].statistics.histogram, IsEmpty());
}

TEST(CountSamples, WhatOverlapsIsNotMerged) {
  const Net net = small_net();
  NullLog log;
  CalibrationCounts counts = count_all(net, 3);
  CalibrationCounts other;
  count_samples(net.graph, std::vector{net.scaled, net.clipped}, some_samples(2, 5), {}, other,
                log);
  try {
    merge_counts(counts, other, "a.json", "b.json");
    ADD_FAILURE() << "no InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("a.json"), HasSubstr("b.json"), HasSubstr("image 2")));
  }
}

/// Says to stop after so many batches.
class StoppingLog final : public Log {
 public:
  explicit StoppingLog(int batches) : left_(batches) {}
  void write(LogLevel /*level*/, std::string_view /*line*/) override {}
  void progress(std::string_view /*title*/, std::int64_t /*done*/,
                std::int64_t /*total*/) override {
    --left_;
  }
  [[nodiscard]] bool stop_requested() const override { return left_ <= 0; }

 private:
  std::atomic<int> left_;
};

TEST(CountSamples, GoesOnAfterAnInterruption) {
  const Net net = small_net();
  const std::vector observed{net.scaled, net.clipped};
  const CalibrationCounts expected = count_all(net, 9);
  for (int batches = 1; batches < 18; ++batches) {  // in either pass
    for (const int threads : {1, 3}) {
      CalibrationCounts counts;
      CalibrationCounts kept;
      CountOptions options{.threads = threads, .checkpoint = [&] { kept = counts; }};
      StoppingLog stopping(batches);
      EXPECT_THROW(
          count_samples(net.graph, observed, some_samples(0, 9), options, counts, stopping),
          Interrupted);
      EXPECT_GE(kept.ranged.size() + kept.binned.size(), static_cast<std::size_t>(batches));
      counts = kept;
      options.checkpoint = {};
      NullLog log;
      EXPECT_TRUE(count_samples(net.graph, observed, some_samples(0, 9), options, counts, log));
      EXPECT_EQ(counts, expected) << batches;
    }
  }
}

TEST(CountSamples, RemembersWhatCannotBeRead) {
  const Net net = small_net();
  BatchSource source = some_samples(0, 4);
  source.load = [](std::int64_t batch) {
    return batch == 1 ? std::nullopt : std::optional(std::vector{tensor_of(sample(batch))});
  };
  NullLog log;
  CalibrationCounts counts;
  EXPECT_TRUE(count_samples(net.graph, std::vector{net.clipped}, source, {}, counts, log));
  EXPECT_THAT(counts.unreadable, testing::ElementsAre("image 1"));
  EXPECT_EQ(counts.ranged.size(), 3U);
}

TEST(CountSamples, LeavesAloneWhatIsNotPlanned) {
  const Net net = small_net();
  NullLog log;
  CalibrationCounts counts;
  const CountOptions options{.planned = {"image 1", "image 2"}};
  EXPECT_TRUE(
      count_samples(net.graph, std::vector{net.clipped}, some_samples(0, 4), options, counts, log));
  EXPECT_EQ(counts.binned, options.planned);
}

}  // namespace
}  // namespace tvmq::quant
