// Threads, sessions, taps, targets, and what programs refuse.
#include <thread>

#include "base/error.h"
#include "exec/program_helpers.h"

namespace tvmq::exec {
namespace {

using ir::DType;
using ir::Graph;
using ir::NodeId;
using ir::Op;
using ir::Shape;
using ir::Tensor;

/// A residual network with depthwise, pooling, concatenation and a dense layer behind it.
struct SmallNetwork {
  Graph graph;
  std::vector<NodeId> activations;
  std::vector<Tensor> inputs;
};

SmallNetwork small_network(std::int64_t channels, std::int64_t size) {
  SmallNetwork net;
  Graph& g = net.graph;
  Numbers numbers;
  const auto conv = [&](NodeId data, Shape weights, ir::Conv2DAttrs attrs) {
    const std::int64_t out = weights[0];
    const NodeId w = g.add_constant(numbers.floats(std::move(weights), -0.3F, 0.3F));
    const NodeId y = g.add_call(Op::kConv2D, {data, w}, std::move(attrs));
    return g.add_call(Op::kBiasAdd, {y, g.add_constant(numbers.floats({out}))}, ir::BiasAddAttrs{});
  };
  const auto relu = [&](NodeId x) {
    net.activations.push_back(g.add_call(Op::kRelu, {x}));
    return net.activations.back();
  };
  const NodeId x = g.add_input("x", float_type({1, 3, size, size}));
  const NodeId stem = relu(conv(x, {channels, 3, 3, 3}, {.padding = {1, 1}}));
  const NodeId wide = relu(conv(stem, {3 * channels, channels, 1, 1}, {}));
  const NodeId deep =
      relu(conv(wide, {3 * channels, 1, 3, 3}, {.padding = {1, 1}, .groups = 3 * channels}));
  const NodeId back = conv(deep, {channels, 3 * channels, 1, 1}, {});
  const NodeId sum = g.add_call(Op::kAdd, {back, stem});
  net.activations.push_back(sum);
  const NodeId pooled =
      g.add_call(Op::kMaxPool2D, {sum}, ir::MaxPool2DAttrs{.pool_size = {2, 2}, .strides = {2, 2}});
  const NodeId left = relu(conv(pooled, {7, channels, 1, 1}, {}));
  const NodeId right = relu(conv(pooled, {9, channels, 3, 3}, {.padding = {1, 1}}));
  const NodeId both =
      g.add_call(Op::kConcatenate, {g.add_tuple({left, right})}, ir::ConcatenateAttrs{.axis = 1});
  net.activations.push_back(both);
  const NodeId mean = g.add_call(Op::kGlobalAvgPool2D, {both}, ir::GlobalPool2DAttrs{});
  const NodeId flat = g.add_call(Op::kBatchFlatten, {mean});
  const NodeId w = g.add_constant(numbers.floats({10, 16}));
  const NodeId logits = g.add_call(Op::kDense, {flat, w}, ir::DenseAttrs{});
  g.set_output(g.add_call(Op::kSoftmax, {logits}, ir::SoftmaxAttrs{}));
  infer_types(g);
  net.inputs = {numbers.floats({1, 3, size, size})};
  return net;
}

TEST(ProgramSession, EqualsTheReference) {
  for (const std::int64_t channels : {5, 16}) {
    const SmallNetwork net = small_network(channels, 10);
    EXPECT_TRUE(Program(net.graph).fallbacks().empty());
    expect_close(run_program(net.graph, net.inputs), run_reference(net.graph, net.inputs));
  }
}

TEST(ProgramSession, ThreadsDoNotChangeTheBits) {
  for (const std::int64_t channels : {5, 16, 48}) {
    for (const std::int64_t size : {10, 64}) {
      const SmallNetwork net = small_network(channels, size);
      std::vector<NodeId> targets = net.activations;
      targets.push_back(net.graph.output());
      const auto one = run_program(net.graph, net.inputs, {.targets = targets, .threads = 1});
      for (const int threads : {2, 3, 4}) {
        SCOPED_TRACE(threads);
        expect_same_bytes(
            run_program(net.graph, net.inputs, {.targets = targets, .threads = threads}), one);
      }
    }
  }
}

TEST(ProgramSession, ThreadsDoNotChangeTheBitsOfProducts) {
  Graph g;
  Numbers numbers;
  const NodeId x = g.add_input("x", float_type({2, 2048}));
  const NodeId w = g.add_constant(numbers.floats({1000, 2048}));
  const NodeId y = g.add_call(Op::kDense, {x, w}, ir::DenseAttrs{});
  const NodeId a = g.add_call(Op::kReshape, {y}, ir::ReshapeAttrs{.newshape = {2, 4, 250}});
  const NodeId b = g.add_call(Op::kReshape, {y}, ir::ReshapeAttrs{.newshape = {2, 250, 4}});
  g.set_output(g.add_tuple({y, g.add_call(Op::kBatchMatmul, {a, b}, ir::BatchMatmulAttrs{})}));
  infer_types(g);
  const std::vector<Tensor> inputs = {numbers.floats({2, 2048})};
  const auto one = run_program(g, inputs);
  expect_close(one, run_reference(g, inputs));
  for (const int threads : {2, 3, 4, 8}) {
    expect_same_bytes(run_program(g, inputs, {.threads = threads}), one);
  }
}

TEST(ProgramSession, ValuesLastAsLongAsTheyAreNeeded) {
  // 600 steps; most results are used by the next layer, some by layers far behind.
  constexpr int kLayers = 300;
  for (const std::uint64_t seed : {1, 2, 3}) {
    Numbers numbers(seed);
    Graph g;
    std::vector<NodeId> values = {g.add_input("x", float_type({1, 4, 6, 6}))};
    std::vector<std::int64_t> channels = {4};
    for (int i = 0; i < kLayers; ++i) {
      const auto last = values.size() - 1;
      const auto other = static_cast<std::size_t>(
          numbers.whole(i % 4 == 0 ? 0 : static_cast<std::int64_t>(last) * 9 / 10,
                        static_cast<std::int64_t>(last)));
      const NodeId both = g.add_call(Op::kConcatenate, {g.add_tuple({values[last], values[other]})},
                                     ir::ConcatenateAttrs{.axis = 1});
      const std::int64_t in = channels[last] + channels[other];
      channels.push_back(numbers.whole(1, 24));
      const float bound = 1.7F / std::sqrt(static_cast<float>(in));
      const NodeId w = g.add_constant(numbers.floats({channels.back(), in, 1, 1}, -bound, bound));
      values.push_back(g.add_call(Op::kConv2D, {both, w}, ir::Conv2DAttrs{}));
    }
    g.set_output(g.add_tuple({values[7], values[kLayers / 2], values[kLayers]}));
    infer_types(g);
    const std::vector<Tensor> inputs = {numbers.floats({1, 4, 6, 6})};
    const auto program = std::make_shared<const Program>(g);
    expect_close(Session(program).run(inputs), run_reference(g, inputs), 1e-4);
    std::int64_t all = 0;
    for (const std::int64_t each : channels) all += each * 6 * 6 * 4;
    EXPECT_LT(program->arena_bytes(), static_cast<std::size_t>(all)) << "places are used again";
  }
}

TEST(ProgramSession, SessionsOfOneProgramRunAtTheSameTime) {
  const SmallNetwork net = small_network(16, 20);
  const auto program = std::make_shared<const Program>(net.graph);
  const std::vector<Tensor> expected = run_program(net.graph, net.inputs);
  Numbers numbers(99);
  const std::vector<Tensor> other = {numbers.floats({1, 3, 20, 20})};
  const std::vector<Tensor> expected_other = run_program(net.graph, other);
  std::vector<int> wrong(6, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      Session session(program);
      for (int repeat = 0; repeat < 20; ++repeat) {
        const bool first = (t + static_cast<std::size_t>(repeat)) % 2 == 0;
        const auto results = session.run(first ? net.inputs : other);
        if (!results[0].same_bytes(first ? expected[0] : expected_other[0])) ++wrong[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
}

TEST(ProgramSession, TapsSeeEveryChannelOnce) {
  for (const std::int64_t channels : {5, 16}) {
    const SmallNetwork net = small_network(channels, 10);
    const auto program =
        std::make_shared<const Program>(net.graph, ProgramOptions{.taps = net.activations});
    Session session(program);
    const std::vector<Tensor> values =
        run_program(net.graph, net.inputs, {.targets = net.activations});
    std::vector<NodeId> seen;
    session.run(net.inputs, [&](const TapView& view) {
      seen.push_back(view.node);
      const auto at = std::ranges::find(net.activations, view.node) - net.activations.begin();
      const Tensor& value = values[static_cast<std::size_t>(at)];
      const std::int64_t all = value.shape()[1];
      ASSERT_EQ(view.channels, all);
      ASSERT_EQ(view.elements.size(), static_cast<std::size_t>(value.size()));
      // The sum of a channel over the pixels must be that of the plain value.
      std::vector<double> sums(static_cast<std::size_t>(all), 0.0);
      for (std::size_t i = 0; i < view.elements.size(); ++i) {
        const auto n = static_cast<std::int64_t>(i);
        const std::int64_t block = n / (view.inner * view.block) % (all / view.block);
        sums[static_cast<std::size_t>(block * view.block + n % view.block)] += view.elements[i];
      }
      const std::int64_t pixels = value.size() / all;
      for (std::int64_t c = 0; c < all; ++c) {
        double expected = 0;
        for (std::int64_t p = 0; p < pixels; ++p) {
          expected += value.data<float>()[static_cast<std::size_t>(c * pixels + p)];
        }
        EXPECT_NEAR(sums[static_cast<std::size_t>(c)], expected, 1e-3);
      }
    });
    EXPECT_THAT(seen, testing::UnorderedElementsAreArray(net.activations));
  }
}

TEST(ProgramSession, AliasesOfOneBufferEachGetTheirTap) {
  Graph g;
  const NodeId x = g.add_input("x", float_type({1, 4, 2, 2}));
  const NodeId relu = g.add_call(Op::kRelu, {x});
  const NodeId stop = g.add_call(Op::kStopFusion, {relu});
  const NodeId hint = g.add_call(Op::kCastHint, {stop}, ir::CastHintAttrs{.dtype = DType::kInt8});
  const NodeId flat = g.add_call(Op::kBatchFlatten, {hint});
  const NodeId constant = g.add_constant(Tensor::from<float>({2}, {3.0F, 4.0F}));
  g.set_output(g.add_call(Op::kNegative, {flat}));
  infer_types(g);
  const std::vector<NodeId> taps = {flat, x, relu, stop, hint, constant, relu};
  Session session(std::make_shared<const Program>(g, ProgramOptions{.taps = taps}));
  std::vector<NodeId> seen;
  Numbers numbers;
  const std::vector<Tensor> inputs = {numbers.floats({1, 4, 2, 2})};
  const auto results = session.run(inputs, [&](const TapView& view) {
    seen.push_back(view.node);
    for (std::size_t i = 0; i < view.elements.size(); ++i) {
      const float source =
          view.node == constant ? static_cast<float>(3 + i) : inputs[0].data<float>()[i];
      EXPECT_EQ(view.elements[i], view.node == x ? source : std::max(source, 0.0F));
    }
  });
  EXPECT_THAT(seen, testing::UnorderedElementsAreArray(taps));
  EXPECT_EQ(results[0].shape(), (Shape{1, 16}));
}

TEST(ProgramSession, TargetsMayBeAnything) {
  Graph g;
  Numbers numbers;
  const NodeId x = g.add_input("x", float_type({1, 6, 2, 2}));
  const NodeId unused = g.add_input("unused", float_type({3}));
  const NodeId parts =
      g.add_call(Op::kSplit, {x}, ir::SplitAttrs{.indices_or_sections = 3, .axis = 1});
  const NodeId second = g.add_tuple_get_item(parts, 1);
  const NodeId constant = g.add_constant(numbers.floats({2, 2}));
  g.set_output(g.add_tuple({second, second, x, constant, unused}));
  infer_types(g);
  const std::vector<Tensor> inputs = {numbers.floats({1, 6, 2, 2}), numbers.floats({3})};
  expect_same_bytes(run_program(g, inputs), run_reference(g, inputs));
  // A tuple-typed target gives one tensor per field; what it does not need may be missing.
  const auto fields = run_program(g, {inputs[0], Tensor()}, {.targets = {parts}});
  ASSERT_EQ(fields.size(), 3U);
  EXPECT_TRUE(fields[1].same_bytes(run_reference(g, inputs)[0]));
  EXPECT_TRUE(run_program(g, inputs, {.targets = {constant}})[0].same_bytes(g[constant].value));
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ProgramSession, SaysWhatItCannotRun) {
  Graph g;
  const NodeId x = g.add_input("x", float_type({1, 2}));
  const NodeId odd = g.add_opaque_call("vision.roi_align", {x}, {}, "head");
  const NodeId relu = g.add_call(Op::kRelu, {x});
  g.set_output(odd);
  infer_types(g);
  EXPECT_THAT(error_of([&] { Program program(g); }), testing::HasSubstr("head"));
  const Program part(g, {.targets = {relu}});  // does not need it

  const NodeId whole = g.add_call(Op::kCast, {x}, ir::CastAttrs{.dtype = DType::kInt32});
  infer_types(g);
  EXPECT_THAT(error_of([&] { Program program(g, {.targets = {whole}, .taps = {whole}}); }),
              testing::HasSubstr("float32"));

  Session session(std::make_shared<const Program>(g, ProgramOptions{.targets = {relu}}));
  Numbers numbers;
  EXPECT_THAT(error_of([&] { session.run(std::vector<Tensor>{}); }), testing::HasSubstr("inputs"));
  EXPECT_THAT(error_of([&] {
                session.run(std::vector{numbers.floats({2, 1})});
              }),
              testing::HasSubstr("x"));
  EXPECT_THAT(error_of([&] { Program program(g, {.targets = {relu}, .threads = 0}); }),
              testing::HasSubstr("threads"));

  Graph open;
  const NodeId any = open.add_input("x", float_type({ir::kDynamicDim, 2}));
  open.set_output(open.add_call(Op::kRelu, {any}));
  infer_types(open);
  EXPECT_THAT(error_of([&] { Program program(open); }), testing::HasSubstr("fixed shape"));
}

}  // namespace
}  // namespace tvmq::exec
