#include "analysis/accuracy.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace tvmq::analysis {
namespace {

using Classes = std::vector<std::int64_t>;

TEST(TopClasses, OrderAndTies) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(top_classes(std::vector<float>{1, 3, 2}, 2), (Classes{1, 2}));
  EXPECT_EQ(top_classes(std::vector<float>{2, 2, 2}, 5), (Classes{0, 1, 2})) << "ties, few classes";
  EXPECT_EQ(top_classes(std::vector<float>{0.F, -0.F}, 1), (Classes{0})) << "zeros are equal";
  EXPECT_EQ(top_classes(std::vector<float>{nan, -1, nan}, 3), (Classes{1, 0, 2}));
  EXPECT_TRUE(top_classes({}, 5).empty());
}

TEST(ShareOf, WilsonsInterval) {
  struct Row {
    std::int64_t hits, trials;
    double low, high;
  };
  // From the closed form; 81 of 263 is the example of Newcombe (1998), table I.
  for (const Row& row :
       {Row{81, 263, 0.2553, 0.3662}, Row{15, 148, 0.0624, 0.1605}, Row{0, 20, 0, 0.1611},
        Row{1, 29, 0.0061, 0.1718}, Row{29, 29, 0.8830, 1}}) {
    const Share share = share_of(row.hits, row.trials);
    EXPECT_NEAR(share.low, row.low, 5e-5) << row.hits;
    EXPECT_NEAR(share.high, row.high, 5e-5) << row.hits;
    EXPECT_LE(share.low, share.value);
    EXPECT_GE(share.high, share.value);
  }
  EXPECT_EQ(share_of(0, 0).low, 0);
  EXPECT_EQ(share_of(0, 0).high, 1);
}

TEST(PairedDifference, OnlyDiscordantImagesCount) {
  const Share none = paired_difference({.trials = 400, .lost = 0, .gained = 0});
  EXPECT_EQ(none.value, 0);
  EXPECT_NEAR(none.high, 0.0049, 1e-4);
  EXPECT_NEAR(none.low, -none.high, 1e-12);

  // (86 - 150) / 1600 before the halves are added: Agresti and Min's prime minister example,
  // -0.040 within (-0.059, -0.021).
  const Share approval = paired_difference({.trials = 1600, .lost = 150, .gained = 86});
  EXPECT_DOUBLE_EQ(approval.value, -0.04);
  EXPECT_NEAR(approval.low, -0.0587, 5e-4);
  EXPECT_NEAR(approval.high, -0.0212, 5e-4);

  const Share all = paired_difference({.trials = 3, .lost = 0, .gained = 3});
  EXPECT_EQ(all.value, 1);
  EXPECT_LE(all.high, 1);
  EXPECT_EQ(paired_difference({}).low, -1);
}

TEST(AccuracyCounts, TopOneAndTopFive) {
  AccuracyCounts counts;
  counts.add(Classes{3, 1, 2, 4, 5}, 3);
  counts.add(Classes{3, 1, 2, 4, 5}, 5);
  counts.add(Classes{3, 1, 2, 4, 5}, 6);
  counts.add(Classes{0, 1}, 1);
  EXPECT_EQ(counts, (AccuracyCounts{.images = 4, .top1 = 1, .top5 = 3}));
  AgreementCounts agreement;
  agreement.add(Classes{3, 1}, Classes{3, 1});
  agreement.add(Classes{3, 1}, Classes{1, 3});
  agreement.add(Classes{3, 1}, Classes{1, 2});
  EXPECT_EQ(agreement, (AgreementCounts{.images = 3, .top1 = 1, .top5 = 2}));
}

}  // namespace
}  // namespace tvmq::analysis
