#include "quant/patch_moments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "ir/infer_types.h"

namespace tvmq::quant {
namespace {

using ir::Graph;
using ir::NodeId;
using ir::Op;
using ir::Tensor;

Tensor image(std::int64_t batch) {
  std::vector<float> values(3 * 8 * 8);
  auto seed = static_cast<std::uint32_t>(batch + 1);
  for (float& value : values) {
    seed = seed * 1664525U + 1013904223U;
    value = static_cast<float>(seed >> 8) / static_cast<float>(1 << 24) * 2 - 0.5F;
  }
  return Tensor::from<float>({1, 3, 8, 8}, std::span<const float>(values));
}

BatchSource images() {
  return {.batches = 5,
          .load = [](std::int64_t batch) { return std::vector<Tensor>{image(batch)}; },
          .describe = [](std::int64_t batch) { return std::to_string(batch); }};
}

struct Case {
  const char* name;
  std::int64_t outputs, groups, kernel, stride, pad, dilation;
};
void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

IntegerPlan plan_of(const Case& c) {
  Graph graph;
  const NodeId x = graph.add_input("x", ir::TensorType{ir::DType::kFloat32, {1, 3, 8, 8}});
  const std::int64_t inputs = 3 / c.groups;
  const std::vector<float> values(
      static_cast<std::size_t>(c.outputs * inputs * c.kernel * c.kernel), 0.25F);
  const NodeId weight = graph.add_constant(
      Tensor::from<float>({c.outputs, inputs, c.kernel, c.kernel}, std::span<const float>(values)));
  graph.set_output(graph.add_call(Op::kConv2D, {x, weight},
                                  ir::Conv2DAttrs{.strides = {c.stride, c.stride},
                                                  .padding = {c.pad, c.pad, c.pad, c.pad},
                                                  .dilation = {c.dilation, c.dilation},
                                                  .groups = c.groups,
                                                  .channels = c.outputs,
                                                  .kernel_size = ir::IntList{c.kernel, c.kernel},
                                                  .out_layout = {}}));
  ir::infer_types(graph);
  return plan_integer(graph, {});
}

NodeId layer_of(const IntegerPlan& plan) {
  return static_cast<NodeId>(std::ranges::find(plan.roles, Role::kConvolution) -
                             plan.roles.begin());
}

std::vector<AffineParameters> stored_as(const IntegerPlan& plan) {
  const std::vector<Interval> ranges(plan.observed.size(), Interval{-0.4F, 1.3F});
  return stored_parameters(plan, ranges, 8);
}

int level(float value, const AffineParameters& stored) {
  const int rounded = static_cast<int>(std::floor(value / stored.scale + 0.5F)) + stored.zero_point;
  return std::clamp(rounded, 0, stored.highest) - kPatchCenter;
}

class PatchMomentsOf : public testing::TestWithParam<Case> {};

TEST_P(PatchMomentsOf, AreTheSumsOverAllPatches) {
  const Case& c = GetParam();
  const IntegerPlan plan = plan_of(c);
  const std::vector<AffineParameters> stored = stored_as(plan);
  NullLog log;
  const NodeId layer = layer_of(plan);
  ASSERT_EQ(patch_groups(plan), std::vector<std::vector<NodeId>>{{layer}});
  const PatchMoments moments =
      observe_patches(plan, {{layer}}, stored, images(), {.threads = 1}, log).at(0);
  const AffineParameters& how = stored[plan.graph[layer].inputs[0]];
  const std::int64_t side = plan.graph[layer].tensor_type().shape[2];
  ASSERT_LE(side * side, 64) << "all positions are looked at";
  EXPECT_EQ(moments.samples, 5 * side * side);
  EXPECT_EQ(moments.shift, kPatchCenter - how.zero_point);
  ASSERT_EQ(moments.blocks.size(), c.groups == 1 ? 1U : 3U);

  const auto element = [&](const Tensor& x, const PatchBlock& block, std::size_t i, std::int64_t oy,
                           std::int64_t ox) {
    const auto k = static_cast<std::int64_t>(i);
    const std::int64_t channel =
        c.groups == 1 ? k / (c.kernel * c.kernel) : static_cast<std::int64_t>(block.row);
    const std::int64_t y = oy * c.stride - c.pad + k / c.kernel % c.kernel * c.dilation;
    const std::int64_t column = ox * c.stride - c.pad + k % c.kernel * c.dilation;
    const bool inside = y >= 0 && y < 8 && column >= 0 && column < 8;
    return level(
        inside ? x.data<float>()[static_cast<std::size_t>((channel * 8 + y) * 8 + column)] : 0.0F,
        how);
  };
  for (const PatchBlock& block : moments.blocks) {
    std::vector<std::int64_t> sums(block.size, 0);
    std::vector<std::int32_t> products(block.products.size(), 0);
    for (std::int64_t batch = 0; batch < 5; ++batch) {
      const Tensor x = image(batch);
      for (std::int64_t position = 0; position < side * side; ++position) {
        std::size_t at = 0;
        for (std::size_t i = 0; i < block.size; ++i) {
          const int q = element(x, block, i, position / side, position % side);
          sums[i] += q;
          for (std::size_t j = 0; j <= i; ++j) {
            products[at++] += q * element(x, block, j, position / side, position % side);
          }
        }
      }
    }
    EXPECT_EQ(block.sums, sums);
    EXPECT_EQ(block.products, products);
  }
}

INSTANTIATE_TEST_SUITE_P(Convolutions, PatchMomentsOf,
                         testing::Values(Case{"padded", 4, 1, 3, 1, 1, 1},
                                         Case{"strided", 4, 1, 3, 2, 1, 1},
                                         Case{"pointwise", 4, 1, 1, 1, 0, 1},
                                         Case{"dilated", 16, 1, 3, 1, 2, 2},
                                         Case{"depthwise", 3, 3, 3, 1, 1, 1}),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(PatchMoments, TheSameForAnyNumberOfThreads) {
  const IntegerPlan plan = plan_of({"padded", 4, 1, 3, 1, 1, 1});
  const std::vector<AffineParameters> stored = stored_as(plan);
  NullLog log;
  const std::vector<NodeId> layer = {layer_of(plan)};
  const auto one = observe_patches(plan, layer, stored, images(), {.threads = 1}, log);
  const auto four = observe_patches(plan, layer, stored, images(), {.threads = 4}, log);
  EXPECT_EQ(one[0].blocks[0].products, four[0].blocks[0].products);
  EXPECT_EQ(one[0].blocks[0].sums, four[0].blocks[0].sums);
  EXPECT_EQ(one[0].samples, four[0].samples);
}

TEST(PatchMoments, TheFirstBatchesOnly) {
  const IntegerPlan plan = plan_of({"pointwise", 4, 1, 1, 1, 0, 1});
  NullLog log;
  const auto few = observe_patches(plan, {{layer_of(plan)}}, stored_as(plan), images(),
                                   {.most_batches = 2, .threads = 1}, log);
  EXPECT_EQ(few[0].samples, 2 * 64);
}

// A kernel of 20 x 20 alone has more elements than a block.
TEST(PatchMoments, LargeKernelsAreCutIntoBlocks) {
  for (const std::int64_t groups : {1, 3}) {
    const IntegerPlan plan = plan_of({"large", 3, groups, 20, 1, 10, 1});
    NullLog log;
    const PatchMoments moments =
        observe_patches(plan, {{layer_of(plan)}}, stored_as(plan), images(), {.threads = 1}, log)
            .at(0);
    // Every element once, in its row.
    std::vector<std::size_t> elements(3, 0);
    for (const PatchBlock& block : moments.blocks) {
      EXPECT_LE(block.size, 256U);
      EXPECT_EQ(block.first, elements.at(block.row));
      elements[block.row] += block.size;
    }
    using Elements = std::vector<std::size_t>;
    EXPECT_EQ(elements, groups == 1 ? Elements({1200, 0, 0}) : Elements({400, 400, 400}));
  }
}

/// x times `layers` weights of 1 x `inputs`, none of which needs any memory of its own.
IntegerPlan dense_plan(std::int64_t inputs, int layers) {
  Graph graph;
  const NodeId x = graph.add_input("x", ir::TensorType{ir::DType::kFloat32, {1, inputs}});
  const NodeId weight = graph.add_constant(Tensor::zeros(ir::DType::kFloat32, {1, inputs}));
  std::vector<NodeId> products;
  for (int i = 0; i < layers; ++i) {
    products.push_back(graph.add_call(Op::kDense, {x, weight}, ir::DenseAttrs{}));
  }
  graph.set_output(graph.add_tuple(products));
  ir::infer_types(graph);
  return plan_integer(graph, {});
}

TEST(PatchMoments, TakeBoundedMemory) {
  // A layer of 4 MB: in blocks of 256 its moments would take 520 MB.
  const IntegerPlan large = dense_plan(1 << 20, 1);
  const auto batch = [](std::int64_t) {
    return std::vector<Tensor>{Tensor::zeros(ir::DType::kFloat32, {1, 1 << 20})};
  };
  const BatchSource zeros{.batches = 1, .load = batch, .describe = images().describe};
  NullLog log;
  ASSERT_EQ(patch_groups(large).size(), 1U);
  const PatchMoments moments =
      observe_patches(large, patch_groups(large)[0], stored_as(large), zeros, {.threads = 1}, log)
          .at(0);
  std::size_t elements = 0;
  std::uint64_t bytes = 0;
  for (const PatchBlock& block : moments.blocks) {
    elements += block.size;
    bytes += block.sums.size() * 8 + block.products.size() * 4;
  }
  EXPECT_EQ(elements, 1U << 20);
  EXPECT_LE(bytes, kMomentBytes);
  EXPECT_GE(bytes, kMomentBytes / 4);

  // Many layers: 2 MB of moments each, in as few groups as can be, each layer once.
  const auto groups = patch_groups(dense_plan(4096, 100));
  std::vector<NodeId> layers;
  for (const auto& group : groups) layers.insert(layers.end(), group.begin(), group.end());
  EXPECT_EQ(layers.size(), 100U);
  EXPECT_TRUE(std::ranges::is_sorted(layers, std::less_equal<>()));
  EXPECT_EQ(groups.size(), 3U);
}

}  // namespace
}  // namespace tvmq::quant
