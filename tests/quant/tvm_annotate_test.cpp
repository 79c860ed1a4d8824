// Where TVM's partition and annotate put their marks, rule by rule (relay_quantize.md 3.1, 3.2).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "quant/tvm_net.h"
#include "quant/tvm_partition.h"

namespace tvmq::quant {
namespace {

using ir::NodeId;
using ir::Op;
using ::testing::HasSubstr;

struct Row {
  const char* what;
  std::function<NodeId(Net&)> build;
  const char* expected;
};

TvmQuantizeOptions skip_nothing() {
  return {.skip_conv_layers = std::nullopt, .skip_dense_layer = false};
}

TEST(TvmPartition, MarksTheEndsOfSections) {
  const Row rows[] = {
      {"convolutions in a row", [](Net& n) { return n.conv(n.conv(n.x())); },
       "stop(hint_int8(conv2d(stop(hint_int8(conv2d(x, w))), w)))"},
      {"bias, relu and pooling stay inside",
       [](Net& n) {
         return n.pool(n.call(Op::kRelu, {n.call(Op::kAdd, {n.conv(n.x()), n.bias()})}));
       },
       "stop(hint_int8(max_pool2d(relu(add(conv2d(x, w), b)))))"},
      {"a bias on the left ends the section",
       [](Net& n) {
         return n.call(Op::kAdd, {n.bias(), n.conv(n.x())});
       },
       "add(b, stop(hint_int8(conv2d(x, w))))"},
      {"both sides of an addition are marked, and the sum again",
       [](Net& n) {
         return n.call(Op::kAdd, {n.conv(n.x()), n.conv(n.x())});
       },
       "stop(hint_int8(add(stop(hint_int8(conv2d(x, w))), stop(hint_int8(conv2d(x, w))))))"},
      {"every addition marks anew, other users share a mark",
       [](Net& n) {
         const NodeId a = n.conv(n.x());
         return n.call(Op::kAdd, {n.call(Op::kAdd, {a, a}), n.call(Op::kSigmoid, {a})});
       },
       "$0 = conv2d(x, w); "
       "add(stop(hint_int8(add(stop(hint_int8($0)), stop(hint_int8($0))))), "
       "sigmoid(stop(hint_int8($0))))"},
      {"multiply marks its left side only",
       [](Net& n) {
         return n.call(Op::kMultiply, {n.conv(n.x()), n.conv(n.x())});
       },
       "stop(hint_int8(multiply(stop(hint_int8(conv2d(x, w))), conv2d(x, w))))"},
      {"global average pooling marks floats too",
       [](Net& n) { return n.call(Op::kGlobalAvgPool2D, {n.x()}); },
       "global_avg_pool2d(stop(hint_int8(x)))"},
      {"operators without a rule", [](Net& n) { return n.call(Op::kSigmoid, {n.conv(n.x())}); },
       "sigmoid(stop(hint_int8(conv2d(x, w))))"},
      {"a tuple realises each field once",
       [](Net& n) {
         const NodeId a = n.conv(n.x());
         return n.call(Op::kAdd, {n.concatenate({a, a}), n.concatenate({a, n.x()})});
       },
       "$0 = stop(hint_int8(conv2d(x, w))); "
       "add(concatenate(($0, $0)), concatenate(($0, x)))"},
  };
  for (const Row& row : rows) {
    Net net;
    const ir::Graph graph = net.finish(row.build(net));
    EXPECT_EQ(outline(partition(graph, {})), row.expected) << row.what;
  }
}

TEST(TvmAnnotate, QuantizesByRule) {
  const Row rows[] = {
      {"a convolution and its end", [](Net& n) { return n.conv(n.x()); },
       "stop(hint_int8(input(conv2d(input(x), weight(w)))))"},
      {"a constant addend is a weight",
       [](Net& n) {
         return n.call(Op::kAdd, {n.conv(n.x()), n.bias()});
       },
       "stop(hint_int8(input(add(conv2d(input(x), weight(w)), weight(b)))))"},
      {"a constant on the left is an input",
       [](Net& n) {
         return n.call(Op::kAdd, {n.bias(), n.conv(n.x())});
       },
       "add(input(b), stop(hint_int8(input(conv2d(input(x), weight(w))))))"},
      {"a tensor used twice is quantized once, a result used twice as input",
       [](Net& n) {
         const NodeId a = n.conv(n.x());
         return n.call(Op::kAdd, {n.call(Op::kSigmoid, {a}), n.conv(a)});
       },
       "$0 = input(conv2d(input(x), weight(w))); "
       "add(input(sigmoid(stop(hint_int8($0)))), "
       "stop(hint_int8(input(conv2d(stop(hint_int8($0)), weight(w))))))"},
      {"a factor that is no constant is an input",
       [](Net& n) {
         return n.call(Op::kMultiply, {n.conv(n.x()), n.call(Op::kSigmoid, {n.x()})});
       },
       "stop(hint_int8(input(multiply(stop(hint_int8(input(conv2d(input(x), weight(w))))), "
       "input(sigmoid(x))))))"},
      {"a float among concatenated integers is an activation",
       [](Net& n) {
         return n.concatenate({n.call(Op::kSigmoid, {n.x()}), n.conv(n.x())});
       },
       "concatenate((activation(sigmoid(x)), stop(hint_int8(input(conv2d(input(x), "
       "weight(w)))))))"},
      {"nothing but floats",
       [](Net& n) {
         return n.call(Op::kRelu, {n.call(Op::kAdd, {n.x(), n.bias()})});
       },
       "relu(add(x, b))"},
  };
  for (const Row& row : rows) {
    Net net;
    const ir::Graph graph = net.finish(row.build(net));
    EXPECT_EQ(outline(annotate(graph, skip_nothing()).graph), row.expected) << row.what;
  }
}

TEST(TvmAnnotate, SkippedConvolutionsLoseTheHintAndKeepTheStop) {
  Net net;
  const ir::Graph graph = net.finish(net.conv(net.conv(net.x(), 0.5F, "stem")));
  const AnnotatedGraph annotated = annotate(graph, {.skip_conv_layers = std::vector{0}});
  EXPECT_EQ(outline(annotated.graph),
            "stop(hint_int8(input(conv2d(input(stop(conv2d(x, w))), weight(w)))))");
  ASSERT_EQ(annotated.layers.size(), 2U);
  EXPECT_FALSE(annotated.layers[0].quantized);
  EXPECT_THAT(annotated.layers[0].name, HasSubstr("stem"));
  EXPECT_THAT(annotated.layers[0].reason, HasSubstr("SkipConvLayers"));
  EXPECT_TRUE(annotated.layers[1].quantized);
  EXPECT_EQ(annotated.layers[1].name, "nn.conv2d #1");
}

TEST(TvmAnnotate, StopsForGoodAtTheFirstQuantizedGlobalAveragePooling) {
  Net net;
  const NodeId pooled = net.call(Op::kGlobalAvgPool2D, {net.conv(net.x())});
  const ir::Graph graph = net.finish(net.conv(pooled));
  const AnnotatedGraph annotated = annotate(graph, skip_nothing());
  EXPECT_EQ(outline(annotated.graph),
            "stop(conv2d(global_avg_pool2d(stop(hint_int8(input(conv2d(input(x), weight(w)))))), "
            "w))");
  EXPECT_THAT(annotated.layers.at(1).reason, HasSubstr("global_avg_pool2d"));
}

TEST(TvmAnnotate, GlobalAveragePoolingOfFloatsStopsNothing) {
  Net net;
  const NodeId pooled = net.call(Op::kGlobalAvgPool2D, {net.x()});
  const ir::Graph graph = net.finish(net.conv(pooled));
  EXPECT_EQ(outline(annotate(graph, skip_nothing()).graph),
            "stop(hint_int8(input(conv2d(input(global_avg_pool2d(stop(x))), weight(w)))))");
}

TEST(TvmAnnotate, ListsObservedValuesInVisitOrder) {
  Net net;
  const NodeId a = net.call(Op::kSigmoid, {net.x()});
  const NodeId b = net.call(Op::kTanh, {net.x()});
  const ir::Graph graph = net.finish(net.call(Op::kAdd, {net.conv(b), net.conv(a)}));
  const AnnotatedGraph annotated = annotate(graph, skip_nothing());
  std::vector<std::string> ops;
  for (const NodeId id : observed(annotated)) ops.emplace_back(annotated.graph[id].op_name());
  EXPECT_THAT(ops, ::testing::ElementsAre("tanh", "nn.conv2d", "sigmoid", "nn.conv2d", "add"));
  EXPECT_EQ(threshold_count(annotated), 5U);
  EXPECT_EQ(annotated.quantizes.size(), 7U);
}

struct Refusal {
  const char* what;
  std::function<NodeId(Net&)> build;
  const char* message;
};

TEST(TvmAnnotate, RefusesWhereTvmStops) {
  const Refusal rows[] = {
      {"product of two quantized values",
       [](Net& n) {
         return n.call(Op::kMultiply, {n.conv(n.x()), n.conv(n.x())});
       },
       "multiplies two quantized values"},
      {"a weight computed by a convolution",
       [](Net& n) {
         const NodeId weight = n.input("weights", {4, 4, 1, 1});
         return n.conv(n.x(), n.conv(weight), "dynamic");
       },
       "the weight of nn.conv2d 'dynamic' is computed from quantized values"},
      {"a weight that is an input",
       [](Net& n) {
         return n.conv(n.x(), n.input("fc", {4, 4, 1, 1}), {});
       },
       "the weight input 'fc' should be quantized but is not a constant"},
      {"a tuple that is computed",
       [](Net& n) {
         const NodeId parts =
             n.call(Op::kSplit, {n.conv(n.x())},
                    ir::SplitAttrs{.indices_or_sections = std::int64_t{2}, .axis = 1});
         return n.call(Op::kConcatenate, {parts}, ir::ConcatenateAttrs{.axis = 1});
       },
       "concatenates the fields of a computed tuple"},
      {"a scalar",
       [](Net& n) {
         return n.call(Op::kMultiply, {n.conv(n.x()), n.constant("scale", {})});
       },
       "has no dimensions"},
  };
  for (const Refusal& row : rows) {
    Net net;
    const ir::Graph graph = net.finish(row.build(net));
    try {
      annotate(graph, skip_nothing());
      FAIL() << row.what;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(row.message)) << row.what;
    }
  }
}

TEST(TvmAnnotate, ObservingRefusesWhereTvmsStatisticsStop) {
  Net nothing;
  const AnnotatedGraph floats = annotate(nothing.finish(nothing.x()), {});
  EXPECT_THROW(observed(floats), InputError);
  Net constant;
  const ir::Graph graph =
      constant.finish(constant.call(Op::kAdd, {constant.bias(), constant.conv(constant.x())}));
  const AnnotatedGraph annotated = annotate(graph, skip_nothing());
  EXPECT_EQ(threshold_count(annotated), 3U);
  try {
    observed(annotated);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("constant 'b'"));
  }
}

TEST(TvmAnnotate, RefusesOptionsThatMeanNothing) {
  Net net;
  const ir::Graph graph = net.finish(net.conv(net.x()));
  EXPECT_THROW(annotate(graph, {.nbit_input = 1}), InputError);
  EXPECT_THROW(annotate(graph, {.nbit_activation = 64}), InputError);
  EXPECT_THROW(annotate(graph, {.dtype_weight = ir::DType::kFloat32}), InputError);
}

TEST(TvmPartition, RefusesTuplesNestedWithoutEnd) {
  Net net;
  NodeId tuple = net.x();
  for (int i = 0; i < 1000; ++i) tuple = net.graph().add_tuple({tuple});
  net.graph().set_output(tuple);
  EXPECT_THROW(partition(net.graph(), {}), InputError);
}

}  // namespace
}  // namespace tvmq::quant
