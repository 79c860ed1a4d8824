// Every operator with a fast kernel, alone and behind a convolution (where its operand does not lie
// row by row), against the reference kernels.
#include <functional>

#include "exec/program_helpers.h"

namespace tvmq::exec {
namespace {

using ir::Graph;
using ir::NodeId;
using ir::Op;
using ir::Shape;
using ir::Tensor;

struct Layer {
  std::string name;
  Shape data;
  std::function<NodeId(Graph&, NodeId, Numbers&)> build;
  bool fast = true;  ///< no fallback expected
};
void PrintTo(const Layer& layer, std::ostream* out) { *out << layer.name; }

class ProgramLayer : public testing::TestWithParam<Layer> {};

TEST_P(ProgramLayer, EqualsTheReference) {
  const Layer& layer = GetParam();
  for (const bool behind_conv : {false, true}) {
    if (behind_conv && layer.data.size() != 4) continue;
    Graph g;
    Numbers numbers(21);
    NodeId x = g.add_input("x", float_type(layer.data));
    if (behind_conv) {
      const std::int64_t channels = layer.data[1];
      x = g.add_call(Op::kConv2D, {x, g.add_constant(numbers.floats({channels, channels, 3, 3}))},
                     ir::Conv2DAttrs{.padding = {1, 1}});
    }
    g.set_output(layer.build(g, x, numbers));
    infer_types(g);
    const std::vector<Tensor> inputs = {numbers.floats(layer.data)};
    expect_close(run_program(g, inputs), run_reference(g, inputs));
    const Program program(g);
    for (const Fallback& fallback : program.fallbacks()) {
      EXPECT_FALSE(layer.fast) << fallback.reason;
    }
    EXPECT_EQ(program.fallbacks().empty(), layer.fast);
  }
}

TEST(ProgramFusion, ActivationsOfOneKindBehindAConvolutionKeepTheirOwnParameters) {
  const ir::Attrs leaky = ir::LeakyReluAttrs{.alpha = 0.1};
  const ir::Attrs wide = ir::ClipAttrs{.a_min = -1, .a_max = 6};
  const ir::Attrs narrow = ir::ClipAttrs{.a_min = 0, .a_max = 0.5};
  using Chain = std::vector<std::pair<Op, ir::Attrs>>;
  for (const Chain& chain :
       {Chain{{Op::kLeakyRelu, leaky}, {Op::kRelu, {}}},
        Chain{{Op::kClip, wide}, {Op::kClip, narrow}},
        Chain{{Op::kClip, narrow}, {Op::kLeakyRelu, leaky}, {Op::kClip, wide}}}) {
    Graph g;
    Numbers numbers(5);
    NodeId x = g.add_input("x", float_type({2, 6, 8, 8}));
    x = g.add_call(Op::kConv2D, {x, g.add_constant(numbers.floats({4, 6, 3, 3}))},
                   ir::Conv2DAttrs{.padding = {1, 1}});
    for (const auto& [op, attrs] : chain) x = g.add_call(op, {x}, attrs);
    g.set_output(x);
    infer_types(g);
    const std::vector<Tensor> inputs = {numbers.floats({2, 6, 8, 8})};
    expect_close(run_program(g, inputs), run_reference(g, inputs));
  }
}

template <class Attrs>
std::function<NodeId(Graph&, NodeId, Numbers&)> call(Op op, Attrs attrs) {
  return [=](Graph& g, NodeId x, Numbers&) { return g.add_call(op, {x}, attrs); };
}

std::vector<Layer> pools() {
  const Shape image = {2, 20, 9, 8};
  const auto max = [](ir::MaxPool2DAttrs attrs) { return call(Op::kMaxPool2D, std::move(attrs)); };
  const auto avg = [](ir::AvgPool2DAttrs attrs) { return call(Op::kAvgPool2D, std::move(attrs)); };
  return {
      {"max", image, max({.pool_size = {2, 2}, .strides = {2, 2}})},
      {"max_padded", image, max({.pool_size = {3, 3}, .strides = {2, 2}, .padding = {1, 0, 1, 1}})},
      {"max_ceil", image, max({.pool_size = {3, 3}, .strides = {2, 2}, .ceil_mode = true})},
      {"max_dilated", image, max({.pool_size = {2, 2}, .dilation = {2, 2}})},
      {"avg", image, avg({.pool_size = {3, 3}, .strides = {2, 2}, .padding = {1, 1}})},
      {"avg_ceil", image, avg({.pool_size = {3, 3}, .strides = {2, 2}, .ceil_mode = true})},
      {"avg_with_padding", image,
       avg({.pool_size = {3, 3}, .padding = {1, 1}, .count_include_pad = true})},
      {"avg_with_padding_ceil", image,
       avg({.pool_size = {3, 3},
            .strides = {2, 2},
            .padding = {1, 1},
            .ceil_mode = true,
            .count_include_pad = true}),
       false},
      {"avg_nhwc", {2, 9, 8, 5}, avg({.pool_size = {3, 3}, .padding = {1, 1}, .layout = "NHWC"})},
      {"max_1d", {2, 5, 9}, call(Op::kMaxPool1D, ir::MaxPool1DAttrs{.pool_size = {3}})},
      {"avg_3d",
       {1, 5, 4, 6, 6},
       call(Op::kAvgPool3D, ir::AvgPool3DAttrs{.pool_size = {2, 2, 2}, .strides = {2, 2, 2}})},
      {"global_avg", image, call(Op::kGlobalAvgPool2D, ir::GlobalPool2DAttrs{})},
      {"global_max", image, call(Op::kGlobalMaxPool2D, ir::GlobalPool2DAttrs{})},
      {"adaptive_1", image,
       call(Op::kAdaptiveAvgPool2D, ir::AdaptivePool2DAttrs{.output_size = {1, 1}})},
      {"adaptive_even", image,
       call(Op::kAdaptiveMaxPool2D, ir::AdaptivePool2DAttrs{.output_size = {3, 4}})},
      {"adaptive_odd", image,
       call(Op::kAdaptiveAvgPool2D, ir::AdaptivePool2DAttrs{.output_size = {4, 3}}), false},
      {"mean", image, call(Op::kMean, ir::ReduceAttrs{.axis = {{2, 3}}})},
      {"mean_keep", image, call(Op::kMean, ir::ReduceAttrs{.axis = {{-1, -2}}, .keepdims = true})},
      {"mean_rows", image, call(Op::kMean, ir::ReduceAttrs{.axis = {{3}}}), false},
  };
}

std::vector<Layer> moves() {
  const Shape image = {2, 32, 6, 5};
  const auto slice = [](ir::StridedSliceAttrs attrs) {
    return call(Op::kStridedSlice, std::move(attrs));
  };
  const auto padded = [](const ir::IntMatrix& width, float value) {
    return [=](Graph& g, NodeId x, Numbers&) {
      return g.add_call(Op::kPad, {x, g.add_constant(Tensor::scalar(value))},
                        ir::PadAttrs{.pad_width = width});
    };
  };
  const auto concat = [](std::int64_t axis) {
    return [=](Graph& g, NodeId x, Numbers&) {
      const NodeId y = g.add_call(Op::kNegative, {x});
      return g.add_call(Op::kConcatenate, {g.add_tuple({x, y, x})},
                        ir::ConcatenateAttrs{.axis = axis});
    };
  };
  const auto split = [](const ir::SectionsOrIndices& where, std::int64_t axis) {
    return [=](Graph& g, NodeId x, Numbers&) {
      const NodeId parts =
          g.add_call(Op::kSplit, {x}, ir::SplitAttrs{.indices_or_sections = where, .axis = axis});
      return g.add_tuple({g.add_tuple_get_item(parts, 1), g.add_tuple_get_item(parts, 0)});
    };
  };
  return {
      {"concat_channels", image, concat(1)},
      {"concat_odd_channels", {1, 5, 4, 4}, concat(1)},
      {"concat_batch", image, concat(0)},
      {"concat_rows", image, concat(-2)},
      {"split_channels", image, split(std::int64_t{2}, 1)},
      {"split_at", image, split(ir::IntList{3, 20}, 1)},
      {"split_rows", image, split(std::int64_t{3}, 2)},
      {"slice", image, slice({.begin = {{0, 4, 1, 0}}, .end = {{2, 20, 6, 5}}, .strides = {{1}}})},
      {"slice_steps", image,
       slice({.begin = {{0, 0, 0, 0}}, .end = {{2, 32, 6, 5}}, .strides = {{1, 1, 2, 2}}})},
      {"slice_short_strides", image,
       slice({.begin = {{0, 0, 0, 0}}, .end = {{2, 32, 6, 5}}, .strides = {{2}}})},
      {"slice_axes", image,
       slice({.begin = {{16}}, .end = {{32}}, .strides = {{1}}, .axes = {{1}}})},
      {"slice_size", image,
       slice({.begin = {{0, 1, 2, 0}},
              .end = {{-1, 8, 3, -1}},
              .strides = {{1}},
              .slice_mode = "size"})},
      {"pad_pixels", image, padded({{0, 0}, {0, 0}, {1, 2}, {0, 3}}, 0.5F)},
      {"pad_channels", image, padded({{0, 0}, {8, 8}, {0, 0}, {0, 0}}, 0)},
      {"transpose", image, call(Op::kTranspose, ir::TransposeAttrs{.axes = {{0, 2, 3, 1}}})},
      {"transpose_all", image, call(Op::kTranspose, ir::TransposeAttrs{})},
      {"shuffle", image,
       [](Graph& g, NodeId x, Numbers&) {
         NodeId y = g.add_call(Op::kReshape, {x}, ir::ReshapeAttrs{.newshape = {2, 4, 8, 6, 5}});
         y = g.add_call(Op::kTranspose, {y}, ir::TransposeAttrs{.axes = {{0, 2, 1, 3, 4}}});
         return g.add_call(Op::kReshape, {y}, ir::ReshapeAttrs{.newshape = {2, 32, 6, 5}});
       }},
      {"two_ideas_of_channels",  // behind a convolution of NCHW: then an operator of NHWC
       {1, 6, 5, 7},
       [](Graph& g, NodeId x, Numbers& numbers) {
         NodeId y = g.add_call(Op::kExp, {x});
         const NodeId w = g.add_constant(numbers.floats({1, 1, 7, 16}));
         return g.add_call(Op::kConv2D, {y, w},
                           ir::Conv2DAttrs{.data_layout = "NHWC", .kernel_layout = "HWIO"});
       }},
      {"upsampling", image, call(Op::kUpsampling, ir::UpSamplingAttrs{.scale_h = 2, .scale_w = 3})},
      {"resize", image,
       call(Op::kResize2D, ir::Resize2DAttrs{.size = {{12, 10}},
                                             .method = "nearest_neighbor",
                                             .coordinate_transformation_mode = "asymmetric",
                                             .rounding_method = "floor"})},
      {"resize_linear", image, call(Op::kResize2D, ir::Resize2DAttrs{.size = {{12, 10}}}), false},
      {"flatten", image, call(Op::kBatchFlatten, std::monostate{})},
      {"squeeze", {1, 5, 1, 1}, call(Op::kSqueeze, ir::SqueezeAttrs{.axis = {{2, 3}}})},
  };
}

std::vector<Layer> contractions() {
  const auto with_weights = [](Op op, const Shape& weights, auto attrs) {
    return [=](Graph& g, NodeId x, Numbers& numbers) {
      return g.add_call(op, {x, g.add_constant(numbers.floats(weights))}, attrs);
    };
  };
  return {
      {"conv1d",
       {2, 5, 20},
       with_weights(Op::kConv1D, {7, 5, 3}, ir::Conv1DAttrs{.strides = {2}, .padding = {1, 2}})},
      {"conv1d_nwc",
       {2, 20, 5},
       with_weights(Op::kConv1D, {3, 5, 7},
                    ir::Conv1DAttrs{.data_layout = "NWC", .kernel_layout = "WIO"})},
      {"conv3d",
       {1, 4, 5, 6, 7},
       with_weights(Op::kConv3D, {6, 4, 3, 3, 3}, ir::Conv3DAttrs{.padding = {1, 1, 1}})},
      {"conv2d_transpose",
       {1, 6, 5, 5},
       with_weights(Op::kConv2DTranspose, {6, 4, 3, 3},
                    ir::Conv2DTransposeAttrs{.strides = {2, 2}, .padding = {1, 1}})},
      {"conv2d_transpose_output_padding",
       {1, 6, 5, 5},
       with_weights(Op::kConv2DTranspose, {6, 4, 3, 3},
                    ir::Conv2DTransposeAttrs{
                        .strides = {2, 2}, .output_padding = {1, 1}, .padding = {1, 1}})},
      {"conv2d_transpose_groups",
       {1, 6, 5, 5},
       with_weights(Op::kConv2DTranspose, {6, 2, 3, 3}, ir::Conv2DTransposeAttrs{.groups = 3})},
      {"padded_conv",
       {1, 6, 5, 5},
       [](Graph& g, NodeId x, Numbers& numbers) {
         const NodeId y = g.add_call(Op::kPad, {x, g.add_constant(Tensor::scalar(0.0F))},
                                     ir::PadAttrs{.pad_width = {{0, 0}, {0, 0}, {0, 1}, {2, 1}}});
         return g.add_call(Op::kConv2D, {y, g.add_constant(numbers.floats({4, 6, 3, 3}))},
                           ir::Conv2DAttrs{.strides = {2, 2}});
       }},
      {"dense", {5, 30}, with_weights(Op::kDense, {7, 30}, ir::DenseAttrs{})},
      {"matmul", {5, 30}, with_weights(Op::kMatmul, {30, 7}, ir::MatmulAttrs{})},
      {"batch_matmul",
       {3, 4, 6},
       [](Graph& g, NodeId x, Numbers&) {
         return g.add_call(Op::kBatchMatmul, {x, x}, ir::BatchMatmulAttrs{.transpose_b = true});
       }},
      {"batch_matmul_shared",
       {3, 4, 6},
       with_weights(Op::kBatchMatmul, {1, 6, 5}, ir::BatchMatmulAttrs{})},
      {"dense_epilogue",
       {2, 30},
       [](Graph& g, NodeId x, Numbers& numbers) {
         NodeId y =
             g.add_call(Op::kDense, {x, g.add_constant(numbers.floats({8, 30}))}, ir::DenseAttrs{});
         y = g.add_call(Op::kAdd, {y, g.add_constant(numbers.floats({8}))});
         y = g.add_call(Op::kTanh, {y});
         return g.add_call(Op::kMultiply, {y, g.add_constant(numbers.floats({8}))});
       }},
      {"hard_swish",
       {1, 16, 5, 5},
       [](Graph& g, NodeId x, Numbers& numbers) {
         const NodeId v =
             g.add_call(Op::kConv2D, {x, g.add_constant(numbers.floats({16, 16, 1, 1}, -3, 3))},
                        ir::Conv2DAttrs{});
         const NodeId three = g.add_constant(Tensor::scalar(3.0F));
         const NodeId six = g.add_constant(Tensor::scalar(6.0F));
         NodeId y = g.add_call(Op::kClip, {g.add_call(Op::kAdd, {v, three})},
                               ir::ClipAttrs{.a_min = 0, .a_max = 6});
         y = g.add_call(Op::kMultiply, {v, g.add_call(Op::kDivide, {y, six})});
         return y;
       }},
      {"swish",
       {1, 16, 5, 5},
       [](Graph& g, NodeId x, Numbers& numbers) {
         const NodeId v =
             g.add_call(Op::kConv2D, {x, g.add_constant(numbers.floats({16, 16, 1, 1}, -3, 3))},
                        ir::Conv2DAttrs{});
         return g.add_call(Op::kMultiply, {g.add_call(Op::kSigmoid, {v}), v});
       }},
      {"batch_norm_then_relu_then_scale",
       {1, 16, 5, 5},
       [](Graph& g, NodeId x, Numbers& numbers) {
         const NodeId v = g.add_call(
             Op::kConv2D, {x, g.add_constant(numbers.floats({16, 16, 3, 3}))}, ir::Conv2DAttrs{});
         const auto vector = [&](float low, float high) {
           return g.add_constant(numbers.floats({16}, low, high));
         };
         const NodeId norm = g.add_call(
             Op::kBatchNorm, {v, vector(0.5F, 2), vector(-1, 1), vector(-1, 1), vector(0.5F, 2)},
             ir::BatchNormAttrs{});
         const NodeId y = g.add_call(Op::kRelu, {g.add_tuple_get_item(norm, 0)});
         return g.add_call(Op::kMultiply, {y, g.add_constant(numbers.floats({16, 1, 1}))});
       }},
      {"softmax", {2, 5, 7}, call(Op::kSoftmax, ir::SoftmaxAttrs{})},
      {"softmax_channels", {2, 5, 3, 3}, call(Op::kSoftmax, ir::SoftmaxAttrs{.axis = 1})},
      {"log_softmax", {4, 9}, call(Op::kLogSoftmax, ir::SoftmaxAttrs{})},
      {"lrn", {1, 16, 5, 5}, call(Op::kLrn, ir::LRNAttrs{.alpha = 0.5})},
      {"layer_norm",
       {2, 5, 16},
       [](Graph& g, NodeId x, Numbers& numbers) {
         const NodeId gamma = g.add_constant(numbers.floats({16}));
         const NodeId beta = g.add_constant(numbers.floats({16}));
         return g.add_call(Op::kLayerNorm, {x, gamma, beta}, ir::LayerNormAttrs{});
       }},
      {"batch_norm_alone",
       {2, 5, 4, 4},
       [](Graph& g, NodeId x, Numbers& numbers) {
         std::vector<NodeId> inputs = {x};
         for (int i = 0; i < 4; ++i) inputs.push_back(g.add_constant(numbers.floats({5}, 0.5F, 2)));
         return g.add_tuple_get_item(
             g.add_call(Op::kBatchNorm, inputs, ir::BatchNormAttrs{.epsilon = 1e-3}), 0);
       }},
      {"weights_from_outside",
       {1, 4, 5, 5},
       [](Graph& g, NodeId x, Numbers& numbers) {
         const NodeId w = g.add_call(Op::kReshape, {g.add_call(Op::kMean, {x}, ir::ReduceAttrs{})},
                                     ir::ReshapeAttrs{.newshape = {1, 1, 1, 1}});
         return g.add_call(
             Op::kConv2D,
             {x, g.add_call(Op::kMultiply, {w, g.add_constant(numbers.floats({4, 4, 3, 3}))})},
             ir::Conv2DAttrs{});
       },
       false},
  };
}

std::string name_of(const testing::TestParamInfo<Layer>& layer) { return layer.param.name; }
INSTANTIATE_TEST_SUITE_P(Pools, ProgramLayer, testing::ValuesIn(pools()), name_of);
INSTANTIATE_TEST_SUITE_P(Moves, ProgramLayer, testing::ValuesIn(moves()), name_of);
INSTANTIATE_TEST_SUITE_P(Contractions, ProgramLayer, testing::ValuesIn(contractions()), name_of);

}  // namespace
}  // namespace tvmq::exec
