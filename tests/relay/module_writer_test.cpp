#include "relay/module_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "ir/structural_equal.h"
#include "relay/module_text.h"
#include "relay/schema.h"

namespace tvmq::relay {
namespace {

using ir::DType;
using ir::Graph;
using ir::NodeId;
using ir::Op;
using testing::HasSubstr;

const ir::TensorType kFloats{DType::kFloat32, {2, 3}};

/// Writes, reads and writes again; the graph comes back and the bytes stay.
Graph round_trip(const Graph& graph) {
  const std::string bytes = written(graph);
  const ir::Module again = parse_module(bytes, "again");
  EXPECT_EQ(first_difference(graph, again.main()), std::nullopt);
  EXPECT_EQ(written(again), bytes);
  return again.main();
}

/// An input and one call of `op` on it.
Graph one_call(Op op, ir::Attrs attrs) {
  Graph graph;
  graph.set_output(graph.add_call(op, {graph.add_input("x", kFloats)}, std::move(attrs)));
  return graph;
}

TEST(ModuleWriter, WritesWhatTvmNeeds) {
  Graph graph = one_call(Op::kSplit, ir::SplitAttrs{.indices_or_sections = 3, .axis = 1});
  const std::string text = written(graph);
  EXPECT_THAT(text, HasSubstr("{\"root\": 1,\n\"nodes\": [\n{\"type_key\": \"\"},\n"));
  EXPECT_THAT(text, HasSubstr(R"({"type_key": "IRModule", "attrs": {"attrs": )"));
  EXPECT_THAT(text, HasSubstr(R"("global_infos": )"));
  EXPECT_THAT(text, HasSubstr(R"({"type_key": "runtime.BoxInt", "repr_str": "3"})"));
  EXPECT_THAT(text, HasSubstr(R"({"type_key": "Op", "repr_str": "split"})"));
  EXPECT_THAT(text, HasSubstr(R"("attrs": {"tvm_version": "0.19.0"}})"));
}

TEST(ModuleWriter, NumbersDoNotDependOnTheOrderOfConstruction) {
  Graph left;
  NodeId x = left.add_input("x", kFloats);
  NodeId a = left.add_call(Op::kRelu, {x});
  NodeId b = left.add_call(Op::kTanh, {x});
  left.set_output(left.add_call(Op::kAdd, {a, b}));
  Graph right;
  x = right.add_input("x", kFloats);
  right.add_call(Op::kExp, {x});  // not reached
  b = right.add_call(Op::kTanh, {x});
  a = right.add_call(Op::kRelu, {x});
  right.set_output(right.add_call(Op::kAdd, {a, b}));
  EXPECT_EQ(written(left), written(right));
}

TEST(ModuleWriter, SharingSurvives) {
  Graph graph;
  const NodeId x = graph.add_input("x", kFloats);
  const ir::Tensor tensor = ir::Tensor::from<float>({3}, {1, 2, 3});
  const NodeId one = graph.add_constant(tensor);
  const NodeId same_elements = graph.add_constant(tensor);
  const NodeId sum = graph.add_call(Op::kAdd, {x, one});
  const NodeId left = graph.add_call(Op::kAdd, {sum, same_elements});
  graph.set_output(graph.add_tuple({left, sum, sum}));
  const Graph again = round_trip(graph);
  EXPECT_EQ(again.size(), 6);
  EXPECT_EQ(again[1].kind, ir::NodeKind::kConstant);
  std::string text = written(graph);
  EXPECT_EQ(text.find("P6G0lvBAXt0"), text.rfind("P6G0lvBAXt0")) << "one tensor, stored once";
}

TEST(ModuleWriter, NamesMayHoldAnyBytes) {
  for (const std::string name : {"conv1", "a \"b\" \\ c", "tab\t", "stra\303\237e", "\x01\xff"}) {
    Graph graph;
    const NodeId x = graph.add_input(name, kFloats);
    graph.set_output(graph.add_call(Op::kRelu, {x}, {}, name));
    const Graph again = round_trip(graph);
    EXPECT_EQ(again[0].name, name);
    EXPECT_EQ(again[again.output()].name, name);
    for (const char c : written(graph)) ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~'));
  }
}

TEST(ModuleWriter, RefusesTextsThatTvmCannotLoad) {
  EXPECT_THROW(written(one_call(Op::kLayoutTransform, ir::LayoutTransformAttrs{"NC\xc3\x9f", "N"})),
               InputError);
  const ir::Module module{{{"main", one_call(Op::kRelu, {})}, {"f\n", one_call(Op::kRelu, {})}}};
  EXPECT_THROW(written(module), InputError);
}

TEST(ModuleWriter, NeverWritesSimulatedQuantize) {
  Graph graph;
  const NodeId x = graph.add_input("x", kFloats);
  std::vector<NodeId> operands(ir::op_info(Op::kSimulatedQuantize).arguments, x);
  graph.set_output(graph.add_call(Op::kSimulatedQuantize, operands, ir::SimulatedQuantizeAttrs{}));
  EXPECT_THROW(written(graph), InternalError);
}

TEST(ModuleWriter, TypesOfAllKindsSurvive) {
  for (const ir::Type& type : {ir::Type{}, ir::Type{ir::TensorType{DType::kBool, {}}},
                               ir::Type{ir::TensorType{DType::kInt64, {ir::kDynamicDim, 4}}},
                               ir::Type{ir::TensorType{DType::kInt8, {std::int64_t{1} << 40}}},
                               ir::Type{ir::TupleType{{kFloats, {DType::kUInt8, {1}}, kFloats}}}}) {
    Graph graph;
    graph.set_output(graph.add_call(Op::kCopy, {graph.add_input("x", type)}));
    graph.set_type(graph.output(), type);
    const Graph again = round_trip(graph);
    EXPECT_EQ(again[0].type, type);
    EXPECT_EQ(again[again.output()].type, type);
  }
}

TEST(ModuleWriter, DoublesSurviveToTheBit) {
  for (const double value :
       {0.1, 1e-5, -0.0, 1e300, 5e-324, 1.0 / 3.0, std::numeric_limits<double>::infinity()}) {
    const Graph again = round_trip(one_call(Op::kClip, ir::ClipAttrs{-value, value}));
    EXPECT_EQ(again[1].attrs_as<ir::ClipAttrs>().a_max, value);
  }
  EXPECT_THAT(written(one_call(Op::kLeakyRelu, ir::LeakyReluAttrs{1e-5})),
              HasSubstr(R"("alpha": "1.0000000000000001e-05")"));
}

TEST(ModuleWriter, LetsSurvive) {
  Graph graph;
  const NodeId x = graph.add_input("x", kFloats);
  graph.set_let_name(x, "input");
  const NodeId a = graph.add_call(Op::kRelu, {x});
  graph.set_let_name(a, "a");
  const NodeId b = graph.add_call(Op::kTanh, {a});
  const NodeId c = graph.add_call(Op::kAdd, {b, a});
  graph.set_let_name(c, "c");
  graph.set_output(c);
  const std::string text = written(graph);
  EXPECT_EQ(round_trip(graph).size(), 4);
  std::size_t lets = 0;
  for (std::size_t at = 0; (at = text.find("relay.Let", at)) != std::string::npos; ++at) ++lets;
  EXPECT_EQ(lets, 3);
}

TEST(ModuleWriter, FunctionsSurvive) {
  Graph main;
  const NodeId x = main.add_input("x", kFloats);
  const NodeId once = main.add_invoke("body", {x});
  main.set_output(main.add_invoke("body", {once}));
  const ir::Module module{{{"main", main}, {"body", one_call(Op::kRelu, {})}}};
  const std::string bytes = written(module);
  const ir::Module again = parse_module(bytes, "again");
  EXPECT_EQ(first_difference(module, again), std::nullopt);
  EXPECT_EQ(written(again), bytes);
}

TEST(ModuleWriter, GoldenModulesSurvive) {
  for (const auto& each : std::filesystem::directory_iterator(TVMQ_TESTS_DIR "/relay/golden")) {
    SCOPED_TRACE(each.path());
    const ir::Module module = read_module(each.path());
    const std::string bytes = written(module);
    const ir::Module again = parse_module(bytes, "again");
    EXPECT_EQ(first_difference(module, again), std::nullopt);
    EXPECT_EQ(written(again), bytes);
  }
  const ir::Module partitioned =
      read_module(TVMQ_TESTS_DIR "/relay/golden/two_inputs_partition.json");
  EXPECT_EQ(partitioned.functions.size(), 4);
  const Graph& prefix = partitioned.function("quantize_inputs");
  EXPECT_EQ(prefix[prefix.inputs()[0]].let_name, "data");
}

/// One value of each kind, different from what is there without it.
ir::OpaqueValue sample(FieldKind kind) {
  switch (kind) {
    case FieldKind::kInt:
    case FieldKind::kOptionalInt:
      return {std::int64_t{7}};
    case FieldKind::kBool:
    case FieldKind::kOptionalBool:
      return {true};
    case FieldKind::kDouble:
    case FieldKind::kOptionalDouble:
      return {0.625};
    case FieldKind::kDType:
      return {DType::kInt16};
    case FieldKind::kInlineText:
      return {std::string("inline"), ir::TextStorage::kInline};
    case FieldKind::kStringNode:
      return {std::string("node")};
    case FieldKind::kIntList:
      return {ir::IntList{3, std::int64_t{1} << 40, -5}};
    case FieldKind::kIntMatrix:
      return {ir::IntMatrix{{1, 2}, {}, {3}}};
    case FieldKind::kDoubleList:
      return {ir::DoubleList{0.5, -1.5}};
    case FieldKind::kSectionsOrIndices:
      return {ir::SectionsOrIndices(ir::IntList{2, 4})};
    case FieldKind::kOther:
      return {};
  }
  return {};
}

TEST(Schema, EveryAttributeTypeSurvives) {
  std::size_t fields_seen = 0;
  for (const std::string_view key : {"Conv1DAttrs",
                                     "Conv2DAttrs",
                                     "Conv3DTransposeAttrs",
                                     "MaxPool2DAttrs",
                                     "AdaptivePool2DAttrs",
                                     "SplitAttrs",
                                     "StridedSliceAttrs",
                                     "TakeAttrs",
                                     "Resize2DAttrs",
                                     "PadAttrs",
                                     "MirrorPadAttrs",
                                     "RequantizeAttrs",
                                     "LayoutTransformAttrs",
                                     "StackAttrs",
                                     "FixedPointMultiplyPerAxisAttrs",
                                     "YoloReorgAttrs",
                                     "ROIAlignAttrs",
                                     "Resize3DAttrs",
                                     "ScatterElementsAttrs",
                                     "TopkAttrs",
                                     "SpaceToBatchNDAttrs",
                                     "AffineGridAttrs",
                                     "MatrixSetDiagAttrs",
                                     "NonMaximumSuppressionAttrs"}) {
    SCOPED_TRACE(key);
    const auto fields = attr_fields(key);
    ASSERT_TRUE(fields.has_value());
    std::vector<std::optional<ir::OpaqueValue>> values;
    for (const AttrField& field : *fields) values.emplace_back(sample(field.kind));
    fields_seen += fields->size();
    Graph graph;
    const NodeId x = graph.add_input("x", kFloats);
    graph.set_output(graph.add_opaque_call("some.operator", {x}, make_attrs(key, values)));
    const Graph again = round_trip(graph);
    EXPECT_EQ(attrs_type_key(*again[again.output()].attrs), key);
    // Null, where a field may be null.
    values.assign(fields->size(), std::nullopt);
    graph = {};
    graph.set_output(graph.add_opaque_call("other.operator", {graph.add_input("x", kFloats)},
                                           make_attrs(key, values)));
    if (std::holds_alternative<ir::OpaqueAttrs>(*graph[graph.output()].attrs)) continue;
    round_trip(graph);
  }
  EXPECT_GT(fields_seen, 80);
  EXPECT_FALSE(attr_fields("SimulatedQuantizeAttrs").has_value());
  EXPECT_FALSE(attr_fields("NoSuchAttrs").has_value());
}

}  // namespace
}  // namespace tvmq::relay
