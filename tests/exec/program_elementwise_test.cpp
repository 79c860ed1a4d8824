// Element by element operators: alone, in chains, in every layout, with every kind of operand.
#include <functional>
#include <limits>

#include "exec/program_helpers.h"

namespace tvmq::exec {
namespace {

using ir::DType;
using ir::Graph;
using ir::NodeId;
using ir::Op;
using ir::Shape;
using ir::Tensor;

/// A graph behind one input; the values fill it.
struct Chain {
  std::string name;
  DType dtype = DType::kFloat32;
  Shape shape;
  std::function<NodeId(Graph&, NodeId, Numbers&)> build;
  bool exact = true;  ///< equal bits; else within 1e-5
};
void PrintTo(const Chain& chain, std::ostream* out) { *out << chain.name; }

Tensor random_tensor(DType dtype, const Shape& shape, Numbers& numbers) {
  switch (dtype) {
    case DType::kInt8:
      return numbers.integers<std::int8_t>(shape, -128, 127);
    case DType::kUInt8:
      return numbers.integers<std::uint8_t>(shape, 0, 255);
    case DType::kInt16:
      return numbers.integers<std::int16_t>(shape, -32768, 32767);
    case DType::kInt32:
      return numbers.integers<std::int32_t>(shape, -2147483648LL, 2147483647);
    case DType::kInt64:
      return numbers.integers<std::int64_t>(shape, -4000000000LL, 4000000000LL);
    default:
      return numbers.floats(shape, -20, 20);
  }
}

class ProgramElementwise : public testing::TestWithParam<Chain> {};

TEST_P(ProgramElementwise, EqualsTheReference) {
  const Chain& chain = GetParam();
  Graph graph;
  Numbers numbers(11);
  const NodeId x = graph.add_input("x", ir::TensorType{chain.dtype, chain.shape});
  graph.set_output(chain.build(graph, x, numbers));
  infer_types(graph);
  const Program program(graph);
  for (const Fallback& fallback : program.fallbacks()) ADD_FAILURE() << fallback.reason;
  const std::vector<Tensor> inputs = {random_tensor(chain.dtype, chain.shape, numbers)};
  const std::vector<Tensor> expected = run_reference(graph, inputs);
  const std::vector<Tensor> actual = run_program(graph, inputs);
  if (chain.exact) {
    expect_same_bytes(actual, expected);
  } else {
    expect_close(actual, expected, 1e-5);
  }
}

NodeId unary(Graph& g, Op op, NodeId x, ir::Attrs attrs = {}) {
  return g.add_call(op, {x}, std::move(attrs));
}
NodeId cast(Graph& g, NodeId x, DType dtype) {
  return g.add_call(Op::kCast, {x}, ir::CastAttrs{.dtype = dtype});
}
NodeId clip(Graph& g, NodeId x, double low, double high) {
  return g.add_call(Op::kClip, {x}, ir::ClipAttrs{.a_min = low, .a_max = high});
}
NodeId fixed_point(Graph& g, NodeId x, std::int64_t multiplier, std::int64_t shift) {
  return g.add_call(Op::kFixedPointMultiply, {x},
                    ir::FixedPointMultiplyAttrs{.multiplier = multiplier, .shift = shift});
}
template <class T>
NodeId scalar(Graph& g, T value) {
  return g.add_constant(Tensor::scalar<T>(value));
}

Shape image_shape() { return {2, 5, 7, 9}; }

std::vector<Chain> float_chains() {
  std::vector<Chain> chains;
  const auto add = [&](std::string name, bool exact, auto build) {
    chains.push_back({std::move(name), DType::kFloat32, image_shape(), build, exact});
  };
  for (const Op op : {Op::kRelu, Op::kSqrt, Op::kRsqrt, Op::kAbs, Op::kNegative, Op::kRound,
                      Op::kFloor, Op::kCeil, Op::kTrunc}) {
    add(std::string(ir::op_info(op).name), true, [op](Graph& g, NodeId x, Numbers&) {
      return unary(g, op, op == Op::kSqrt || op == Op::kRsqrt ? unary(g, Op::kAbs, x) : x);
    });
  }
  for (const Op op : {Op::kSigmoid, Op::kTanh, Op::kExp, Op::kFastExp, Op::kLog, Op::kErf}) {
    add(std::string(ir::op_info(op).name), op == Op::kFastExp, [op](Graph& g, NodeId x, Numbers&) {
      return unary(g, op, op == Op::kLog ? unary(g, Op::kAbs, x) : x);
    });
  }
  for (const Op op :
       {Op::kAdd, Op::kSubtract, Op::kMultiply, Op::kDivide, Op::kMaximum, Op::kMinimum}) {
    // Every broadcast there is, on either side.
    const std::vector<Shape> shapes = {{},           {1},          {9},          {7, 1},
                                       {5, 1, 1},    {1, 5, 1, 1}, {2, 5, 1, 1}, {1, 1, 7, 9},
                                       {2, 1, 1, 9}, image_shape()};
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      for (const bool left : {false, true}) {
        add(std::string(ir::op_info(op).name) + "_" + std::to_string(i) + (left ? "_left" : ""),
            true, [op, left, shape = shapes[i]](Graph& g, NodeId x, Numbers& numbers) {
              const NodeId c = g.add_constant(numbers.floats(shape, 0.5F, 3));
              return left ? g.add_call(op, {c, x}) : g.add_call(op, {x, c});
            });
      }
    }
  }
  add("leaky", true, [](Graph& g, NodeId x, Numbers&) {
    return unary(g, Op::kLeakyRelu, x, ir::LeakyReluAttrs{.alpha = 0.1});
  });
  add("prelu", true, [](Graph& g, NodeId x, Numbers& numbers) {
    return g.add_call(Op::kPrelu, {x, g.add_constant(numbers.floats({5}))}, ir::PReluAttrs{});
  });
  add("quantize", true, [](Graph& g, NodeId x, Numbers&) {
    const NodeId y = g.add_call(Op::kMultiply, {x, scalar(g, 16.0F)});
    return cast(g, clip(g, unary(g, Op::kRound, y), -127, 127), DType::kInt8);
  });
  add("cast_wide_to_int8", true, [](Graph& g, NodeId x, Numbers&) {
    return cast(g, g.add_call(Op::kMultiply, {x, scalar(g, 3e8F)}), DType::kInt8);
  });
  add("epilogue", true, [](Graph& g, NodeId x, Numbers& numbers) {
    NodeId y = g.add_call(Op::kMultiply, {x, g.add_constant(numbers.floats({5, 1, 1}, 0, 4))});
    y = unary(g, Op::kFloor, g.add_call(Op::kAdd, {y, scalar(g, 0.5F)}));
    return cast(g, clip(g, cast(g, y, DType::kInt32), 0, 255), DType::kUInt8);
  });
  add("shared_inside", true, [](Graph& g, NodeId x, Numbers&) {
    const NodeId y = unary(g, Op::kRelu, x);
    return g.add_call(Op::kAdd, {g.add_call(Op::kMultiply, {y, y}), y});
  });
  add("runtime_broadcast", true, [](Graph& g, NodeId x, Numbers&) {
    const NodeId m = g.add_call(Op::kMax, {x}, ir::ReduceAttrs{.axis = {{2, 3}}, .keepdims = true});
    return g.add_call(Op::kMultiply, {x, m});
  });
  return chains;
}

std::vector<Chain> integer_chains() {
  std::vector<Chain> chains;
  const auto add = [&](std::string name, DType dtype, auto build) {
    chains.push_back({std::move(name), dtype, image_shape(), build});
  };
  for (const DType dtype :
       {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kInt32, DType::kInt64}) {
    const std::string name(ir::dtype_name(dtype));
    for (const Op op : {Op::kAdd, Op::kSubtract, Op::kMultiply, Op::kMaximum, Op::kMinimum,
                        Op::kLeftShift, Op::kRightShift}) {
      add(name + "_" + std::string(ir::op_info(op).name), dtype,
          [op, dtype](Graph& g, NodeId x, Numbers& numbers) {
            const bool shift = op == Op::kLeftShift || op == Op::kRightShift;
            const Tensor wide = shift ? numbers.integers<std::int32_t>({5, 1, 1}, 0, 9)
                                      : numbers.integers<std::int32_t>({5, 1, 1}, 0, 120);
            return g.add_call(op, {x, cast(g, g.add_constant(wide), dtype)});
          });
    }
    for (const DType to : {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kInt32, DType::kInt64,
                           DType::kFloat32, DType::kBool}) {
      add(name + "_to_" + std::string(ir::dtype_name(to)), dtype,
          [to](Graph& g, NodeId x, Numbers&) { return cast(g, cast(g, x, to), DType::kInt32); });
    }
    add(name + "_relu_clip", dtype,
        [](Graph& g, NodeId x, Numbers&) { return clip(g, unary(g, Op::kRelu, x), -3.7, 100.9); });
  }
  for (const std::int64_t multiplier : {1337332480LL, 1073741824LL, -5LL}) {
    for (const std::int64_t shift : {-12LL, -1LL, 0LL, 3LL}) {
      if (multiplier == 1073741824LL && shift > 0) continue;
      std::string name = "requantize_" + std::to_string(multiplier < 0 ? 0 : multiplier) + "_" +
                         std::to_string(shift + 20);
      add(name, DType::kInt32, [=](Graph& g, NodeId x, Numbers&) {
        const NodeId y = fixed_point(g, cast(g, x, DType::kInt64), multiplier, shift);
        return cast(g, clip(g, y, -127, 127), DType::kInt8);
      });
      add(name + "_long", DType::kInt64,
          [=](Graph& g, NodeId x, Numbers&) { return fixed_point(g, x, multiplier, shift); });
      add(name + "_int", DType::kInt32,
          [=](Graph& g, NodeId x, Numbers&) { return fixed_point(g, x, multiplier, shift); });
    }
  }
  add("shift_round", DType::kInt32, [](Graph& g, NodeId x, Numbers&) {
    const NodeId y = g.add_call(Op::kAdd, {x, scalar<std::int32_t>(g, 128)});
    return cast(g, clip(g, g.add_call(Op::kRightShift, {y, scalar<std::int32_t>(g, 8)}), -127, 127),
                DType::kInt8);
  });
  for (const bool floor : {false, true}) {
    for (const bool bias : {false, true}) {
      for (const double low : {0.0, -128.0, -40.5}) {
        add("epilogue_" + std::to_string(floor) + std::to_string(bias) + "_" +
                std::to_string(static_cast<int>(-low)),
            DType::kInt32, [=](Graph& g, NodeId x, Numbers& numbers) {
              NodeId y = x;
              if (bias) {
                const NodeId b = g.add_constant(
                    numbers.integers<std::int32_t>({5, 1, 1}, -1000000000, 1000000000));
                y = g.add_call(Op::kAdd, {b, y});
              }
              const NodeId scale = g.add_constant(numbers.floats({5, 1, 1}, 1e-8F, 3e-7F));
              y = g.add_call(Op::kMultiply, {cast(g, y, DType::kFloat32), scale});
              if (bias || floor) y = g.add_call(Op::kAdd, {scalar(g, 0.5F), y});
              if (floor) y = unary(g, Op::kFloor, y);
              y = clip(g, y, low, low < 0 ? 127 : 255);
              return cast(g, y, low < 0 ? DType::kInt8 : DType::kUInt8);
            });
      }
    }
  }
  add("dequantized_between", DType::kInt32, [](Graph& g, NodeId x, Numbers& numbers) {
    NodeId y = g.add_call(
        Op::kAdd, {x, g.add_constant(numbers.integers<std::int32_t>({5, 1, 1}, -100000, 100000))});
    y = g.add_call(Op::kMultiply, {cast(g, y, DType::kFloat32), scalar(g, 1e-8F)});
    y = g.add_call(Op::kMultiply, {clip(g, y, 0, 6), scalar(g, 255.0F / 6)});
    y = clip(g, g.add_call(Op::kAdd, {y, scalar(g, 0.5F)}), 0, 255);
    return cast(g, y, DType::kUInt8);
  });
  add("normalised_bytes", DType::kUInt8, [](Graph& g, NodeId x, Numbers& numbers) {
    NodeId y = g.add_call(Op::kSubtract, {cast(g, x, DType::kFloat32), scalar(g, 117.0F)});
    y = g.add_call(Op::kMultiply, {y, g.add_constant(numbers.floats({5, 1, 1}))});
    y = g.add_call(Op::kAdd, {y, g.add_constant(numbers.floats({5, 1, 1}))});
    y = g.add_call(Op::kAdd, {g.add_call(Op::kMultiply, {y, scalar(g, 3.3F)}), scalar(g, 100.5F)});
    return cast(g, clip(g, y, 0, 255), DType::kUInt8);
  });
  add("table", DType::kUInt8, [](Graph& g, NodeId x, Numbers& numbers) {
    const NodeId values = g.add_constant(numbers.integers<std::uint8_t>({256}, 0, 255));
    return g.add_call(Op::kTake, {values, x}, ir::TakeAttrs{.axis = 0, .mode = "fast"});
  });
  add("table_clip", DType::kInt32, [](Graph& g, NodeId x, Numbers& numbers) {
    const NodeId values = g.add_constant(numbers.floats({10}));
    return g.add_call(Op::kTake, {values, x}, ir::TakeAttrs{.axis = 0, .mode = "clip"});
  });
  return chains;
}

std::string name_of(const testing::TestParamInfo<Chain>& chain) {
  std::string name = chain.param.name;
  std::ranges::replace(name, '.', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Float, ProgramElementwise, testing::ValuesIn(float_chains()), name_of);
INSTANTIATE_TEST_SUITE_P(Integer, ProgramElementwise, testing::ValuesIn(integer_chains()), name_of);

/// The same between two convolutions, where values lie with their channels innermost or in blocks.
TEST(ProgramElementwise, BetweenConvolutionsEqualsTheReference) {
  for (const std::int64_t channels : {5, 16, 40}) {
    for (const Shape& shape : {Shape{}, Shape{channels, 1, 1}, Shape{1, channels, 1, 1},
                               Shape{9, 9}, Shape{2, channels, 9, 9}}) {
      SCOPED_TRACE(ir::to_string(shape));
      Graph g;
      Numbers numbers;
      const NodeId x = g.add_input("x", float_type({2, channels, 9, 9}));
      const auto conv = [&](NodeId data) {
        const NodeId w = g.add_constant(numbers.floats({channels, channels, 3, 3}, -0.2F, 0.2F));
        return g.add_call(Op::kConv2D, {data, w}, ir::Conv2DAttrs{.padding = {1, 1, 1, 1}});
      };
      const NodeId first = conv(x);
      const NodeId c = g.add_constant(numbers.floats(shape, 0.5F, 2));
      // exp is no post operation, so this is a step of its own, in the convolutions' layout.
      NodeId y = g.add_call(Op::kMaximum, {unary(g, Op::kAbs, first), c});
      y = g.add_call(Op::kAdd, {g.add_call(Op::kMultiply, {y, c}), unary(g, Op::kExp, first)});
      const NodeId gate = g.add_call(Op::kGlobalAvgPool2D, {y}, ir::GlobalPool2DAttrs{});
      y = g.add_call(Op::kMultiply, {y, unary(g, Op::kSigmoid, gate)});
      g.set_output(conv(y));
      infer_types(g);
      const std::vector<Tensor> inputs = {numbers.floats({2, channels, 9, 9})};
      expect_close(run_program(g, inputs), run_reference(g, inputs));
    }
  }
}

/// The offset of a requantization is added behind the clip (the integer scheme) or in front of it:
/// either way it is one loop, also where the clipped value, the half in it, lies beyond a byte.
TEST(ProgramElementwise, RequantizationIsOneLoopInEitherOrder) {
  struct Bounds {
    float offset;
    double low, high;  ///< of the clip in front of the offset
    bool joined;
  };
  constexpr Bounds kBounds[] = {
      {117.5F, -117, 138, true},     // up to 255.5, which is cut off to 255
      {0.5F, 0, 255, true},          // zero point 0
      {0.5F, -1.25, 255.25, true},   // -0.75 is cut off to 0
      {0.5F, -1.5, 255, false},      // -1 is not
      {117.5F, -118, 138.5, false},  // 256 is no byte
  };
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values = {std::numeric_limits<float>::quiet_NaN(),
                                     kInfinity,
                                     -kInfinity,
                                     -117,
                                     -117.5F,
                                     -118,
                                     0,
                                     -0.5F,
                                     0.5F,
                                     1,
                                     137,
                                     137.5F,
                                     137.4999F,
                                     138,
                                     254.5F,
                                     255,
                                     3e38F};
  const auto count = static_cast<std::int64_t>(values.size());
  for (const Bounds& bounds : kBounds) {
    SCOPED_TRACE(testing::Message() << bounds.low << " to " << bounds.high);
    Graph g;
    const NodeId x = g.add_input("x", float_type({1, count}));
    NodeId y = g.add_call(Op::kMultiply, {x, scalar(g, 1.0F)});
    y = g.add_call(Op::kAdd, {clip(g, y, bounds.low, bounds.high), scalar(g, bounds.offset)});
    g.set_output(cast(g, y, DType::kUInt8));
    infer_types(g);
    const std::vector<Tensor> inputs = {
        Tensor::from<float>({1, count}, std::span<const float>(values))};
    expect_same_bytes(run_program(g, inputs), run_reference(g, inputs));
    const Program program(g);
    ASSERT_EQ(program.steps().size(), 1U);
    const std::string text = program.steps().front().text;
    EXPECT_EQ(text.find("1 instructions") != std::string::npos, bounds.joined) << text;
  }
}

// A network may have thousands of small values.
TEST(ProgramElementwiseMemory, FollowsTheSizeOfTheValues) {
  struct Case {
    std::int64_t pixels;
    std::size_t constants;  ///< at most; those the graph does not have
    std::size_t arena;      ///< at most
  };
  for (const Case& each :
       {Case{4, 256, 2 << 10}, Case{64, 2 << 10, 16 << 10}, Case{1 << 14, 16 << 10, 512 << 10}}) {
    SCOPED_TRACE(each.pixels);
    Graph g;
    Numbers numbers;
    const NodeId x = g.add_input("x", ir::TensorType{DType::kInt8, {1, 3, 1, each.pixels}});
    NodeId y = g.add_call(Op::kAdd, {cast(g, x, DType::kFloat32), scalar(g, 0.5F)});
    y = g.add_call(Op::kMultiply, {y, g.add_constant(numbers.floats({3, 1, 1}))});
    g.set_output(g.add_call(Op::kPower, {y, scalar(g, 3.0F)}));
    infer_types(g);
    const Program program(g);
    EXPECT_LE(program.constant_bytes(), each.constants);
    EXPECT_LE(program.arena_bytes(), each.arena);
    const std::vector<Tensor> inputs = {
        random_tensor(DType::kInt8, {1, 3, 1, each.pixels}, numbers)};
    expect_close(run_program(g, inputs), run_reference(g, inputs), 1e-5);
  }
}

}  // namespace
}  // namespace tvmq::exec
