// Operators that move elements or make new ones around them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/reference_case.h"
#include "exec/reference_strided.h"

namespace tvmq::exec {
namespace {

using ir::DType;
using ir::Op;
using ir::Shape;
using ir::Tensor;
using testing::ElementsAre;

TEST(ReferenceShape, ReshapesShareTheirElements) {
  const Tensor in = ramp<float>({2, 3});
  const Tensor out = run_op(Op::kReshape, {in}, ir::ReshapeAttrs{{-1, 2}});
  EXPECT_EQ(out.shape(), (Shape{3, 2}));
  EXPECT_EQ(out.bytes(), in.bytes());
  EXPECT_EQ(run_op(Op::kExpandDims, {in}, ir::ExpandDimsAttrs{1, 2}).shape(), (Shape{2, 1, 1, 3}));
  EXPECT_EQ(run_op(Op::kSqueeze, {ramp<float>({1, 2, 1})}, ir::SqueezeAttrs{}).shape(), (Shape{2}));
  EXPECT_EQ(run_op(Op::kBatchFlatten, {ramp<float>({2, 3, 4})}).shape(), (Shape{2, 12}));
  EXPECT_EQ(run_op(Op::kStopFusion, {in}).bytes(), in.bytes());
  EXPECT_EQ(run_op(Op::kCopy, {in}).bytes(), in.bytes());
}

TEST(ReferenceShape, Transposes) {
  const Tensor in = ramp<std::int8_t>({2, 3, 2});
  EXPECT_THAT(elements<std::int8_t>(run_op(Op::kTranspose, {in}, ir::TransposeAttrs{})),
              ElementsAre(0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11));
  EXPECT_THAT(elements<std::int8_t>(
                  run_op(Op::kTranspose, {in}, ir::TransposeAttrs{ir::IntList{0, -1, 1}})),
              ElementsAre(0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11));
}

TEST(ReferenceShape, SlicesWhoseListsAreShortTakeTheRestWhole) {
  const Tensor in = ramp<float>({3, 2});
  const auto slice = [&](ir::IntList begin, ir::IntList end, ir::IntList strides) {
    return elements<float>(run_op(Op::kStridedSlice, {in},
                                  ir::StridedSliceAttrs{.begin = std::move(begin),
                                                        .end = std::move(end),
                                                        .strides = std::move(strides),
                                                        .slice_mode = "end",
                                                        .axes = std::nullopt}));
  };
  EXPECT_THAT(slice({0, 0}, {3, 2}, {2}), ElementsAre(0, 1, 4, 5));
  EXPECT_THAT(slice({1}, {3}, {1}), ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(slice({0, 1}, {3, 2}, {1}), ElementsAre(1, 3, 5));
  // A stride without bounds: from the last element down to, and without, the first.
  EXPECT_THAT(slice({0}, {3}, {1, -1}), ElementsAre(1, 3, 5));
}

TEST(ReferenceShape, JoinsAndSplits) {
  const Tensor a = ramp<float>({2, 1});
  const Tensor b = ramp<float>({2, 2}, 10);
  const Tensor joined = evaluate_op(Op::kConcatenate, {{a, b}}, ir::ConcatenateAttrs{-1})[0];
  EXPECT_THAT(elements<float>(joined), ElementsAre(0, 10, 11, 1, 12, 13));
  const auto thirds = evaluate_op(Op::kSplit, {{joined}}, ir::SplitAttrs{std::int64_t{3}, 1});
  ASSERT_EQ(thirds.size(), 3U);
  EXPECT_THAT(elements<float>(thirds[1]), ElementsAre(10, 12));
  const auto at = evaluate_op(Op::kSplit, {{joined}}, ir::SplitAttrs{ir::IntList{1}, 1});
  ASSERT_EQ(at.size(), 2U);
  EXPECT_THAT(elements<float>(at[1]), ElementsAre(10, 11, 12, 13));
  const Tensor stacked = evaluate_op(Op::kStack, {{a, a}}, ir::StackAttrs{1})[0];
  EXPECT_EQ(stacked.shape(), (Shape{2, 2, 1}));
  EXPECT_THAT(elements<float>(stacked), ElementsAre(0, 0, 1, 1));
}

TEST(ReferenceShape, Slices) {
  struct Case {
    ir::StridedSliceAttrs attrs;
    std::vector<float> expected;
  };
  const std::vector<Case> cases{
      {{ir::IntList{1}, ir::IntList{4}, ir::IntList{1}, "end", {}}, {1, 2, 3}},
      {{ir::IntList{-2}, ir::IntList{100}, ir::IntList{1}, "end", {}}, {4, 5}},
      {{ir::IntList{0}, ir::IntList{6}, ir::IntList{2}, "end", {}}, {0, 2, 4}},
      {{ir::IntList{5}, ir::IntList{1}, ir::IntList{-2}, "end", {}}, {5, 3}},
      {{ir::IntList{100}, ir::IntList{-100}, ir::IntList{-1}, "end", {}}, {5, 4, 3, 2, 1, 0}},
      {{ir::IntList{2}, ir::IntList{3}, ir::IntList{1}, "size", {}}, {2, 3, 4}},
      {{ir::IntList{2}, ir::IntList{-1}, ir::IntList{1}, "size", {}}, {2, 3, 4, 5}},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(elements<float>(run_op(Op::kStridedSlice, {ramp<float>({6})}, each.attrs)),
              each.expected);
  }
  const ir::StridedSliceAttrs second{ir::IntList{1}, ir::IntList{2}, ir::IntList{1}, "end",
                                     ir::IntList{1}};
  EXPECT_THAT(elements<float>(run_op(Op::kStridedSlice, {ramp<float>({2, 3})}, second)),
              ElementsAre(1, 4));
}

TEST(ReferenceShape, RepeatsAndReverses) {
  const Tensor in = ramp<float>({2, 2});
  EXPECT_THAT(elements<float>(run_op(Op::kRepeat, {in}, ir::RepeatAttrs{2, 1})),
              ElementsAre(0, 0, 1, 1, 2, 2, 3, 3));
  EXPECT_THAT(elements<float>(run_op(Op::kTile, {in}, ir::TileAttrs{ir::IntList{2}})),
              ElementsAre(0, 1, 0, 1, 2, 3, 2, 3));
  EXPECT_EQ(run_op(Op::kTile, {in}, ir::TileAttrs{ir::IntList{2, 1, 1}}).shape(), (Shape{2, 2, 2}));
  EXPECT_THAT(elements<float>(run_op(Op::kReverse, {in}, ir::ReverseAttrs{0})),
              ElementsAre(2, 3, 0, 1));
  EXPECT_THAT(elements<float>(run_op(Op::kBroadcastTo, {ramp<float>({2, 1})},
                                     ir::InitOpAttrs{ir::IntList{2, 2, 2}})),
              ElementsAre(0, 0, 1, 1, 0, 0, 1, 1));
  EXPECT_THAT(elements<float>(run_op(Op::kBroadcastToLike, {ramp<float>({2}), in})),
              ElementsAre(0, 1, 0, 1));
}

TEST(ReferenceShape, MovesBetweenDepthAndSpace) {
  const Tensor deep = ramp<float>({1, 4, 1, 2});
  const Tensor wide = run_op(Op::kDepthToSpace, {deep}, ir::SubPixelAttrs{2, "NCHW", "DCR"});
  EXPECT_EQ(wide.shape(), (Shape{1, 1, 2, 4}));
  EXPECT_THAT(elements<float>(wide), ElementsAre(0, 2, 1, 3, 4, 6, 5, 7));
  EXPECT_TRUE(run_op(Op::kSpaceToDepth, {wide}, ir::SubPixelAttrs{2, "NCHW"}).same_bytes(deep));

  // The two modes differ once there is more than one channel left.
  const Tensor eight = ramp<float>({1, 8, 1, 1});
  EXPECT_THAT(
      elements<float>(run_op(Op::kDepthToSpace, {eight}, ir::SubPixelAttrs{2, "NCHW", "DCR"})),
      ElementsAre(0, 2, 4, 6, 1, 3, 5, 7));
  EXPECT_THAT(
      elements<float>(run_op(Op::kDepthToSpace, {eight}, ir::SubPixelAttrs{2, "NCHW", "CRD"})),
      ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  const Tensor last = ramp<float>({1, 1, 1, 8});
  const Tensor spread = run_op(Op::kDepthToSpace, {last}, ir::SubPixelAttrs{2, "NHWC", "DCR"});
  EXPECT_THAT(elements<float>(spread), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_TRUE(run_op(Op::kSpaceToDepth, {spread}, ir::SubPixelAttrs{2, "NHWC"}).same_bytes(last));
}

TEST(ReferenceShape, TransformsLayoutsThereAndBack) {
  const Tensor in = ramp<float>({1, 8, 2, 3});
  for (const std::string layout : {"NHWC", "NCHW4c", "NCHW2c", "CNWH", "NCHW8c"}) {
    const Tensor there =
        run_op(Op::kLayoutTransform, {in}, ir::LayoutTransformAttrs{"NCHW", layout});
    const Tensor back =
        run_op(Op::kLayoutTransform, {there}, ir::LayoutTransformAttrs{layout, "NCHW"});
    EXPECT_TRUE(back.same_bytes(in)) << layout;
    EXPECT_FALSE(there.same_bytes(in)) << layout;
  }
  const Tensor blocked = run_op(Op::kLayoutTransform, {ramp<float>({1, 4, 1, 2})},
                                ir::LayoutTransformAttrs{"NCHW", "NCHW2c"});
  EXPECT_THAT(elements<float>(blocked), ElementsAre(0, 2, 1, 3, 4, 6, 5, 7));
  const Tensor fours =
      run_op(Op::kLayoutTransform, {in}, ir::LayoutTransformAttrs{"NCHW", "NCHW4c"});
  const Tensor twos =
      run_op(Op::kLayoutTransform, {in}, ir::LayoutTransformAttrs{"NCHW", "NCHW2c"});
  EXPECT_TRUE(run_op(Op::kLayoutTransform, {fours}, ir::LayoutTransformAttrs{"NCHW4c", "NCHW2c"})
                  .same_bytes(twos));
}

TEST(ReferenceShape, Fills) {
  const ir::InitOpAttrs attrs{ir::IntList{2}, DType::kInt8};
  EXPECT_THAT(elements<std::int8_t>(run_op(Op::kZeros, {}, attrs)), ElementsAre(0, 0));
  EXPECT_THAT(elements<std::int8_t>(run_op(Op::kOnes, {}, attrs)), ElementsAre(1, 1));
  EXPECT_THAT(elements<std::int8_t>(run_op(Op::kFull, {Tensor::scalar<std::int8_t>(7)}, attrs)),
              ElementsAre(7, 7));
  EXPECT_THAT(elements<bool>(run_op(Op::kOnesLike, {tensor_of<bool>({false})})), ElementsAre(true));
  EXPECT_THAT(elements<float>(run_op(Op::kFullLike, {ramp<float>({2}), Tensor::scalar(3.0F)})),
              ElementsAre(3, 3));
  EXPECT_THAT(elements<float>(run_op(
                  Op::kOneHot,
                  {tensor_of<std::int32_t>({1, 0, 5}), Tensor::scalar(9.0F), Tensor::scalar(-1.0F)},
                  ir::OneHotAttrs{2, -1, DType::kFloat32})),
              ElementsAre(-1, 9, 9, -1, -1, -1));
  EXPECT_THAT(elements<float>(run_op(
                  Op::kOneHot,
                  {tensor_of<std::int32_t>({1, 0}), Tensor::scalar(1.0F), Tensor::scalar(0.0F)},
                  ir::OneHotAttrs{3, 0, DType::kFloat32})),
              ElementsAre(0, 1, 1, 0, 0, 0));
}

TEST(ReferenceShape, Pads) {
  const Tensor in = ramp<float>({1, 3}, 1);
  const auto pad = [&](const std::string& mode, ir::IntMatrix widths) {
    return elements<float>(
        run_op(Op::kPad, {in, Tensor::scalar(9.0F)}, ir::PadAttrs{std::move(widths), mode}));
  };
  EXPECT_THAT(pad("constant", {{1, 0}, {2, 1}}), ElementsAre(9, 9, 9, 9, 9, 9, 9, 9, 1, 2, 3, 9));
  EXPECT_THAT(pad("edge", {{0, 0}, {2, 1}}), ElementsAre(1, 1, 1, 2, 3, 3));
  EXPECT_THAT(pad("reflect", {{0, 0}, {2, 1}}), ElementsAre(3, 2, 1, 2, 3, 2));
  EXPECT_THAT(elements<float>(
                  run_op(Op::kMirrorPad, {in}, ir::MirrorPadAttrs{"SYMMETRIC", {{0, 0}, {2, 1}}})),
              ElementsAre(2, 1, 1, 2, 3, 3));
  EXPECT_THAT(elements<float>(
                  run_op(Op::kMirrorPad, {in}, ir::MirrorPadAttrs{"REFLECT", {{0, 0}, {2, 1}}})),
              ElementsAre(3, 2, 1, 2, 3, 2));
  EXPECT_THROW(pad("reflect", {{0, 0}, {3, 0}}), InputError);
  // The value has the type of the data, whatever type it came in.
  EXPECT_THAT(elements<std::uint8_t>(run_op(
                  Op::kPad, {tensor_of<std::uint8_t>({5}), Tensor::scalar<std::int32_t>(128)},
                  ir::PadAttrs{{{1, 1}}})),
              ElementsAre(128, 5, 128));
}

TEST(ReferenceShape, Takes) {
  const Tensor data = ramp<float>({2, 3});
  const Tensor indices = tensor_of<std::int32_t>({2, -1, 7});
  EXPECT_THAT(elements<float>(run_op(Op::kTake, {data, indices}, ir::TakeAttrs{0, 1, "clip"})),
              ElementsAre(2, 0, 2, 5, 3, 5));
  EXPECT_THAT(elements<float>(run_op(Op::kTake, {data, indices}, ir::TakeAttrs{0, 1, "wrap"})),
              ElementsAre(2, 2, 1, 5, 5, 4));
  EXPECT_THAT(elements<float>(run_op(Op::kTake, {data, indices}, ir::TakeAttrs{0, {}, "clip"})),
              ElementsAre(2, 0, 5));
  EXPECT_THAT(elements<float>(run_op(Op::kTake, {data, indices}, ir::TakeAttrs{7, {}, "clip"})),
              ElementsAre(2, 0, 5))
      << "batch_dims mean nothing without an axis";
  const Tensor table = ramp<std::int8_t>({256}, 127, -1);
  EXPECT_THAT(elements<std::int8_t>(run_op(Op::kTake, {table, tensor_of<std::uint8_t>({0, 255})},
                                           ir::TakeAttrs{0, 0, "fast"})),
              ElementsAre(127, -128));
  EXPECT_THAT(elements<float>(run_op(Op::kTake, {data, tensor_of<std::int64_t>({2, 1}, {2, 0})},
                                     ir::TakeAttrs{1, 1, "clip"})),
              ElementsAre(2, 3));
  EXPECT_THAT(elements<float>(run_op(Op::kGather, {data, tensor_of<std::int32_t>({2, 1}, {2, 0})},
                                     ir::GatherAttrs{1})),
              ElementsAre(2, 3));
  EXPECT_THROW(
      run_op(Op::kGather, {data, tensor_of<std::int32_t>({2, 1}, {3, 0})}, ir::GatherAttrs{1}),
      InputError);
}

TEST(ReferenceStrided, RefusesViewsThatLeaveTheTensor) {
  const Tensor in = ramp<float>({4});
  EXPECT_THROW(gather_view(in, {.start = 1, .sizes = {4}, .steps = {1}}, {4}), InternalError);
  EXPECT_THROW(gather_view(in, {.start = 0, .sizes = {2}, .steps = {-1}}, {2}), InternalError);
  EXPECT_THAT(elements<float>(gather_view(in, {.start = 3, .sizes = {4}, .steps = {-1}}, {4})),
              ElementsAre(3, 2, 1, 0));
}

}  // namespace
}  // namespace tvmq::exec
