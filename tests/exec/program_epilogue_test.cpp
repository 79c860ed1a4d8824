// Integer contractions with what follows them in one step: equal to the reference kernels to the
// last bit, whatever the epilogue reads and wherever the bands of rows end.
#include <functional>

#include "exec/direct_convolution.h"
#include "exec/program_helpers.h"

namespace tvmq::exec {
namespace {

using ir::DType;
using ir::Graph;
using ir::NodeId;
using ir::Op;
using ir::Shape;
using ir::Tensor;

struct Network {
  Graph graph;
  std::vector<Tensor> inputs;
  Numbers numbers;
};

NodeId cast(Graph& g, NodeId x, DType dtype) {
  return g.add_call(Op::kCast, {x}, ir::CastAttrs{.dtype = dtype});
}
NodeId input(Network& n, DType dtype, const Shape& shape) {
  const std::string name = std::to_string(n.inputs.size());
  if (dtype == DType::kFloat32) n.inputs.push_back(n.numbers.floats(shape, -2, 2));
  if (dtype == DType::kInt8) n.inputs.push_back(n.numbers.integers<std::int8_t>(shape, -128, 127));
  if (dtype == DType::kUInt8) n.inputs.push_back(n.numbers.integers<std::uint8_t>(shape, 0, 255));
  return n.graph.add_input(name, ir::TensorType{dtype, shape});
}

/// float32 sums, scaled by channel.
NodeId scaled(Network& n, NodeId sums, std::int64_t channels, bool last) {
  Graph& g = n.graph;
  const Shape along = last ? Shape{channels} : Shape{channels, 1, 1};
  const NodeId bias = g.add_constant(n.numbers.integers<std::int32_t>(along, -5000, 5000));
  const NodeId scale = g.add_constant(n.numbers.floats(along, 1e-4F, 2e-3F));
  return g.add_call(Op::kMultiply,
                    {cast(g, g.add_call(Op::kAdd, {sums, bias}), DType::kFloat32), scale});
}
/// As the integer scheme stores an activation.
NodeId stored(Network& n, NodeId x) {
  Graph& g = n.graph;
  const NodeId rounded =
      g.add_call(Op::kAdd, {g.add_call(Op::kMultiply, {x, g.add_constant(Tensor::scalar(3.7F))}),
                            g.add_constant(Tensor::scalar(117.5F))});
  return cast(g, g.add_call(Op::kClip, {rounded}, ir::ClipAttrs{.a_min = 0, .a_max = 255}),
              DType::kUInt8);
}

NodeId scalar(Network& n, float value) { return n.graph.add_constant(Tensor::scalar(value)); }
/// As the integer scheme writes it.
NodeId sigmoid(Network& n, NodeId x) {
  Graph& g = n.graph;
  const NodeId power = g.add_call(Op::kFastExp, {g.add_call(Op::kNegative, {x})});
  return g.add_call(Op::kDivide, {scalar(n, 1), g.add_call(Op::kAdd, {power, scalar(n, 1)})});
}

struct Case {
  std::string name;
  Shape data;
  Shape weights;
  ir::Conv2DAttrs attrs;
  DType dtype = DType::kUInt8;
  /// From the scaled sums to what is stored.
  std::function<NodeId(Network&, NodeId, const Shape&)> epilogue =
      [](Network& n, NodeId x, const Shape&) { return stored(n, x); };
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class ProgramEpilogue : public testing::TestWithParam<Case> {};

TEST_P(ProgramEpilogue, EqualsTheReference) {
  const Case& c = GetParam();
  Network n;
  const NodeId x = input(n, c.dtype, c.data);
  const NodeId w = n.graph.add_constant(n.numbers.integers<std::int8_t>(c.weights, -128, 127));
  ir::Conv2DAttrs attrs = c.attrs;
  attrs.out_dtype = DType::kInt32;
  const NodeId sums = n.graph.add_call(Op::kConv2D, {x, w}, attrs);
  n.graph.set_output(sums);
  infer_types(n.graph);
  const Shape shape = n.graph[sums].tensor_type().shape;
  const bool last = attrs.data_layout == "NHWC";
  n.graph.set_output(c.epilogue(
      n, scaled(n, n.graph.add_call(Op::kStopFusion, {sums}), shape[last ? 3 : 1], last), shape));
  infer_types(n.graph);
  for (const bool library : {false, true}) {
    for (const int threads : {1, 3}) {
      expect_same_bytes(
          run_program(n.graph, n.inputs, {.threads = threads, .library_convolutions = library}),
          run_reference(n.graph, n.inputs));
    }
    const Program program(n.graph, {.library_convolutions = library});
    if (!program.fallbacks().empty()) continue;  // no fast kernels on this CPU
    bool banded = false;
    for (const StepInfo& step : program.steps()) {
      banded = banded || step.text.find(" bands") != std::string::npos;
      const bool ours = runs_direct_convolutions(library);
      EXPECT_FALSE(ours && step.text.find("brgconv") != std::string::npos) << step.text;
    }
    // oneDNN's signed kernels are not exact for large sums, and then ours run apart.
    EXPECT_TRUE(banded || (library && c.dtype == DType::kInt8))
        << "the epilogue is a step of its own";
  }
}

Shape image_shape() { return {1, 24, 67, 65}; }
Shape kernel_shape() { return {40, 24, 3, 3}; }

INSTANTIATE_TEST_SUITE_P(
    Convolutions, ProgramEpilogue,
    testing::Values(
        Case{"k3", image_shape(), kernel_shape(), {.padding = {1, 1}}},
        Case{"int8", image_shape(), kernel_shape(), {.padding = {1, 1}}, DType::kInt8},
        Case{"no_padding", image_shape(), kernel_shape(), {}},
        Case{"uneven_padding", image_shape(), kernel_shape(), {.padding = {2, 0, 1, 3}}},
        Case{"padding_beyond_the_kernel", image_shape(), kernel_shape(), {.padding = {4, 1, 5, 1}}},
        Case{"stride", {1, 24, 95, 93}, kernel_shape(), {.strides = {2, 2}, .padding = {1, 1}}},
        Case{"stride_3_pointwise", {1, 24, 140, 141}, {40, 24, 1, 1}, {.strides = {3, 3}}},
        Case{"dilation", image_shape(), kernel_shape(), {.padding = {3, 3}, .dilation = {3, 3}}},
        Case{"pointwise", image_shape(), {40, 24, 1, 1}, {}},
        Case{"batch", {3, 24, 53, 45}, kernel_shape(), {.padding = {1, 1}}},
        Case{"groups", image_shape(), {48, 12, 3, 3}, {.padding = {1, 1}, .groups = 2}},
        Case{"depthwise", image_shape(), {24, 1, 3, 3}, {.padding = {1, 1}, .groups = 24}},
        Case{"depthwise_int8",
             image_shape(),
             {24, 1, 3, 3},
             {.padding = {1, 1}, .groups = 24},
             DType::kInt8},
        Case{"depthwise_5_stride_2",
             {2, 70, 41, 43},
             {70, 1, 5, 5},
             {.strides = {2, 2}, .padding = {1, 2, 2, 2}, .groups = 70}},
        Case{"nhwc",
             {1, 67, 65, 24},
             {3, 3, 24, 40},
             {.padding = {1, 1}, .data_layout = "NHWC", .kernel_layout = "HWIO"}},
        Case{"nhwc_batch",
             {2, 67, 65, 24},
             {3, 3, 24, 40},
             {.padding = {1, 1}, .data_layout = "NHWC", .kernel_layout = "HWIO"}}),
    [](const auto& test) { return test.param.name; });

Case with_epilogue(std::string name, std::function<NodeId(Network&, NodeId, const Shape&)> epilogue,
                   std::int64_t batch = 1) {
  return {std::move(name),     {batch, 24, 67, 65}, kernel_shape(),
          {.padding = {1, 1}}, DType::kUInt8,       std::move(epilogue)};
}

NodeId residual(Network& n, NodeId x, const Shape& shape) {
  const NodeId other = cast(n.graph, input(n, DType::kUInt8, shape), DType::kFloat32);
  return stored(n, n.graph.add_call(Op::kAdd, {x, other}));
}
/// Both addends are integers with scales of their own, in either order.
NodeId scaled_residual(Network& n, NodeId x, const Shape& shape, bool swapped) {
  Graph& g = n.graph;
  const NodeId other = g.add_call(
      Op::kMultiply, {cast(g, input(n, DType::kUInt8, shape), DType::kFloat32), scalar(n, 0.037F)});
  return stored(n, swapped ? g.add_call(Op::kAdd, {other, x}) : g.add_call(Op::kAdd, {x, other}));
}
NodeId gate(Network& n, NodeId x, const Shape& shape) {
  const NodeId other = input(n, DType::kFloat32, {shape[0], shape[1], 1, 1});
  return stored(n, n.graph.add_call(Op::kMultiply, {x, other}));
}

INSTANTIATE_TEST_SUITE_P(
    Epilogues, ProgramEpilogue,
    testing::Values(
        with_epilogue("residual", residual), with_epilogue("residual_batch", residual, 2),
        with_epilogue("scaled_residual",
                      [](Network& n, NodeId x, const Shape& shape) {
                        return scaled_residual(n, x, shape, false);
                      }),
        with_epilogue("scaled_residual_first",
                      [](Network& n, NodeId x, const Shape& shape) {
                        return scaled_residual(n, x, shape, true);
                      }),
        with_epilogue("gate", gate), with_epilogue("gate_batch", gate, 3),
        with_epilogue(
            "gate_without_batch",
            [](Network& n, NodeId x, const Shape& shape) {
              const NodeId other = input(n, DType::kFloat32, {shape[1], 1, 1});
              return stored(n, n.graph.add_call(Op::kMultiply, {x, other}));
            },
            2),
        with_epilogue("float_result", [](Network&, NodeId x, const Shape&) { return x; }),
        with_epilogue("swish",
                      [](Network& n, NodeId x, const Shape&) {
                        return stored(n, n.graph.add_call(Op::kMultiply, {x, sigmoid(n, x)}));
                      }),
        with_epilogue("swish_of_another",  // x goes to three places
                      [](Network& n, NodeId x, const Shape&) {
                        const NodeId y = n.graph.add_call(Op::kMultiply, {x, sigmoid(n, x)});
                        return stored(n, n.graph.add_call(Op::kAdd, {y, x}));
                      }),
        with_epilogue(
            "sigmoid",
            [](Network& n, NodeId x, const Shape&) {
              return stored(n, n.graph.add_call(Op::kMultiply, {sigmoid(n, x), scalar(n, 60)}));
            }),
        with_epilogue("division_that_is_no_sigmoid",
                      [](Network& n, NodeId x, const Shape&) {
                        Graph& g = n.graph;
                        const NodeId y = g.add_call(Op::kFastExp, {g.add_call(Op::kNegative, {x})});
                        const NodeId sum = g.add_call(Op::kAdd, {y, scalar(n, 2)});
                        return stored(n, g.add_call(Op::kDivide, {scalar(n, 1), sum}));
                      }),
        with_epilogue("relu6",
                      [](Network& n, NodeId x, const Shape&) {
                        return stored(n, n.graph.add_call(Op::kClip, {x},
                                                          ir::ClipAttrs{.a_min = 0, .a_max = 6}));
                      }),
        with_epilogue("dequantized_gate",
                      [](Network& n, NodeId x, const Shape& shape) {
                        Graph& g = n.graph;
                        NodeId y = cast(g, input(n, DType::kUInt8, shape), DType::kFloat32);
                        y = g.add_call(Op::kSubtract, {y, scalar(n, 117)});
                        y = g.add_call(Op::kMultiply, {y, scalar(n, 0.03F)});
                        return stored(n, g.add_call(Op::kMultiply, {x, y}));
                      }),
        with_epilogue("sums_twice",
                      [](Network& n, NodeId x, const Shape&) {
                        return stored(n, n.graph.add_call(Op::kMultiply, {x, x}));
                      })),
    [](const auto& test) { return test.param.name; });

/// Padding with the zero point in front of a convolution on loops of our own, which depthwise ones
/// always are, is the convolution's.
TEST(ProgramEpilogueApart, PaddingWithAnyByteBelongsToTheConvolution) {
  for (const auto& [dtype, value] : {std::pair{DType::kUInt8, 131}, {DType::kInt8, -77}}) {
    for (const bool own_padding : {false, true}) {
      for (const std::int64_t multiplier : {1, 2}) {
        Network n;
        Graph& g = n.graph;
        const NodeId x = input(n, dtype, image_shape());
        const NodeId pad_value = g.add_constant(
            dtype == DType::kUInt8 ? Tensor::scalar(static_cast<std::uint8_t>(value))
                                   : Tensor::scalar(static_cast<std::int8_t>(value)));
        const NodeId padded = g.add_call(
            Op::kPad, {x, pad_value}, ir::PadAttrs{.pad_width = {{0, 0}, {0, 0}, {2, 1}, {0, 3}}});
        const NodeId w =
            g.add_constant(n.numbers.integers<std::int8_t>({24 * multiplier, 1, 5, 3}, -128, 127));
        const std::int64_t own = own_padding ? 1 : 0;
        const NodeId sums = g.add_call(Op::kConv2D, {padded, w},
                                       ir::Conv2DAttrs{.strides = {2, 1},
                                                       .padding = {own, own},
                                                       .groups = 24,
                                                       .out_dtype = DType::kInt32});
        g.set_output(stored(n, scaled(n, sums, 24 * multiplier, false)));
        infer_types(g);
        for (const bool library : {false, true}) {
          const ProgramOptions options{.library_convolutions = library};
          expect_same_bytes(run_program(g, n.inputs, options), run_reference(g, n.inputs));
          const Program program(g, options);
          bool apart = false;
          for (const StepInfo& step : program.steps()) {
            apart = apart || (step.text.starts_with("nn.pad") &&
                              step.text.find("nn.conv2d") == std::string::npos);
          }
          const bool ours = runs_direct_convolutions(library);
          EXPECT_EQ(apart, own_padding || (multiplier == 2 && !ours)) << steps_of(program);
        }
      }
    }
  }
}

/// Two branches of a residual block: the other one's sums become bytes before they are added.
TEST(ProgramEpilogueApart, BytesOfAnotherConvolutionBelongToThat) {
  Network n;
  Graph& g = n.graph;
  const NodeId x = input(n, DType::kUInt8, image_shape());
  const auto branch = [&] {
    const NodeId w = g.add_constant(n.numbers.integers<std::int8_t>({40, 24, 1, 1}, -128, 127));
    const NodeId sums =
        g.add_call(Op::kConv2D, {x, w}, ir::Conv2DAttrs{.out_dtype = DType::kInt32});
    return scaled(n, g.add_call(Op::kStopFusion, {sums}), 40, false);
  };
  NodeId y = cast(g, stored(n, branch()), DType::kFloat32);
  y = g.add_call(Op::kMultiply, {g.add_call(Op::kSubtract, {y, scalar(n, 117)}), scalar(n, 0.03F)});
  g.set_output(stored(n, g.add_call(Op::kAdd, {branch(), y})));
  infer_types(g);
  for (const bool library : {false, true}) {
    const ProgramOptions options{.library_convolutions = library};
    expect_same_bytes(run_program(g, n.inputs, options), run_reference(g, n.inputs));
    const Program program(g, options);
    if (!program.fallbacks().empty()) continue;
    int with_bytes = 0;
    for (const StepInfo& step : program.steps()) {
      with_bytes += step.text.find("nn.conv2d") != std::string::npos &&
                            step.text.find("clip + cast") != std::string::npos
                        ? 1
                        : 0;
    }
    EXPECT_EQ(with_bytes, 2) << steps_of(program);
  }
}

struct Prologue {
  std::string name;
  Shape data;
  Shape weights;
  ir::Conv2DAttrs attrs;
  bool joins = true;  ///< the convolution is pointwise
  /// From dequantized bytes to what is stored for the convolution.
  std::function<NodeId(Network&, NodeId, const Shape&)> make;
  DType dtype = DType::kUInt8;  ///< of the bytes
};
void PrintTo(const Prologue& c, std::ostream* out) { *out << c.name; }

class ProgramPrologue : public testing::TestWithParam<Prologue> {};

/// Bytes are made for one convolution, some pixels at a time, in front of it.
TEST_P(ProgramPrologue, EqualsTheReference) {
  const Prologue& c = GetParam();
  for (const bool adds_the_data : {false, true}) {
    Network n;
    Graph& g = n.graph;
    const bool last = c.attrs.data_layout == "NHWC";
    const NodeId x = input(n, c.dtype, c.data);
    const auto dequantized = [&](NodeId bytes) {
      const NodeId y = g.add_call(Op::kSubtract, {cast(g, bytes, DType::kFloat32), scalar(n, 117)});
      return g.add_call(Op::kMultiply, {y, scalar(n, 0.03F)});
    };
    const NodeId made = stored(n, c.make(n, dequantized(x), c.data));
    const NodeId w = g.add_constant(n.numbers.integers<std::int8_t>(c.weights, -128, 127));
    ir::Conv2DAttrs attrs = c.attrs;
    attrs.out_dtype = DType::kInt32;
    const NodeId sums = g.add_call(Op::kConv2D, {g.add_call(Op::kStopFusion, {made}), w}, attrs);
    const std::int64_t channels = c.weights[last ? 3 : 0];
    NodeId y = scaled(n, g.add_call(Op::kStopFusion, {sums}), channels, last);
    if (adds_the_data && c.joins) y = g.add_call(Op::kAdd, {y, dequantized(x)});
    g.set_output(stored(n, y));
    infer_types(g);
    for (const int threads : {1, 3}) {
      expect_same_bytes(run_program(g, n.inputs, {.threads = threads}), run_reference(g, n.inputs));
    }
    const Program program(g);
    if (!runs_direct_convolutions(false)) continue;
    bool joined = false;
    for (const StepInfo& step : program.steps()) {
      joined = joined ||
               (step.text.starts_with("cast") && step.text.find("nn.conv2d") != std::string::npos);
    }
    EXPECT_EQ(joined, c.joins) << steps_of(program);
  }
}

NodeId shifted(Network& n, NodeId x, const Shape& shape) {
  return n.graph.add_call(Op::kAdd, {x, n.graph.add_constant(n.numbers.floats({shape[1], 1, 1}))});
}
NodeId gated(Network& n, NodeId x, const Shape& shape) {
  const NodeId by = input(n, DType::kFloat32, {shape[0], shape[1], 1, 1});
  return n.graph.add_call(Op::kMultiply, {x, by});
}
NodeId summed(Network& n, NodeId x, const Shape& shape) {
  return n.graph.add_call(Op::kAdd, {x, input(n, DType::kFloat32, shape)});
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, ProgramPrologue,
    testing::Values(
        Prologue{"shifted", {1, 40, 61, 33}, {40, 40, 1, 1}, {}, true, shifted},
        Prologue{"gated", {1, 40, 61, 33}, {40, 40, 1, 1}, {}, true, gated},
        Prologue{"shifted_int8", {1, 40, 61, 33}, {40, 40, 1, 1}, {}, true, shifted, DType::kInt8},
        Prologue{"gated_int8", {1, 40, 61, 33}, {40, 40, 1, 1}, {}, true, gated, DType::kInt8},
        Prologue{"gated_batch", {3, 40, 23, 33}, {40, 40, 1, 1}, {}, true, gated},
        Prologue{"summed", {2, 40, 23, 33}, {40, 40, 1, 1}, {}, true, summed},
        Prologue{"nhwc",
                 {2, 23, 33, 40},
                 {1, 1, 40, 40},
                 {.data_layout = "NHWC", .kernel_layout = "HWIO"},
                 true,
                 summed},
        Prologue{"one_pixel", {2, 40, 1, 1}, {40, 40, 1, 1}, {}, true, gated},
        Prologue{"strided", {1, 40, 61, 33}, {24, 40, 1, 1}, {.strides = {2, 2}}, false, shifted},
        Prologue{"padded", {1, 40, 61, 33}, {24, 40, 1, 1}, {.padding = {1, 1}}, false, shifted},
        Prologue{"not_pointwise", {1, 40, 61, 33}, {24, 40, 3, 3}, {}, false, shifted}),
    [](const auto& test) { return test.param.name; });

TEST(ProgramEpilogueApart, SumsOverPixelsReadBytes) {
  for (const DType dtype : {DType::kUInt8, DType::kInt8}) {
    for (const bool last : {false, true}) {
      Network n;
      Graph& g = n.graph;
      const NodeId x = input(n, dtype, last ? Shape{2, 9, 11, 24} : Shape{2, 24, 9, 11});
      g.set_output(g.add_call(
          Op::kSum, {cast(g, x, DType::kInt32)},
          ir::ReduceAttrs{.axis = last ? ir::IntList{1, 2} : ir::IntList{2, 3}, .keepdims = true}));
      infer_types(g);
      expect_same_bytes(run_program(g, n.inputs), run_reference(g, n.inputs));
      EXPECT_EQ(Program(g).steps().size(), 1U) << steps_of(Program(g));
    }
  }
}

/// What keeps an epilogue apart: a result that is not the only one, or that differs from row to
/// row.
TEST(ProgramEpilogueApart, StaysApartWhereTheSumsAreNeeded) {
  for (const bool rows_differ : {false, true}) {
    Network n;
    const NodeId x = input(n, DType::kUInt8, image_shape());
    const NodeId w =
        n.graph.add_constant(n.numbers.integers<std::int8_t>(kernel_shape(), -128, 127));
    const NodeId sums = n.graph.add_call(
        Op::kConv2D, {x, w}, ir::Conv2DAttrs{.padding = {1, 1}, .out_dtype = DType::kInt32});
    NodeId y = scaled(n, sums, 40, false);
    if (rows_differ) {
      y = n.graph.add_call(Op::kAdd, {y, n.graph.add_constant(n.numbers.floats({67, 1}))});
    }
    y = stored(n, y);
    n.graph.set_output(rows_differ ? y : n.graph.add_tuple({y, sums}));
    infer_types(n.graph);
    expect_same_bytes(run_program(n.graph, n.inputs), run_reference(n.graph, n.inputs));
  }
}

}  // namespace
}  // namespace tvmq::exec
