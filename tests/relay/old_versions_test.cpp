// Files as older versions of TVM wrote them, made by editing what the writer writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "ir/structural_equal.h"
#include "relay/module_text.h"

namespace tvmq::relay {
namespace {

using ir::DType;
using ir::Graph;
using ir::NodeId;
using ir::Op;

const ir::TensorType kFloats{DType::kFloat32, {1, 4, 8, 8}};

struct OldFile {
  const char* what;
  Op op;
  ir::Attrs attrs;
  std::vector<std::pair<const char*, const char*>> edits;
};

TEST(OldVersions, AreReadAsIfTheyWereNew) {
  const std::vector<OldFile> files{
      {"reshape before 0.9",
       Op::kReshape,
       ir::ReshapeAttrs{{1, -1}},
       {{R"("allowzero": "0", )", ""}}},
      {"requantize before 0.9",
       Op::kQnnRequantize,
       ir::RequantizeAttrs{.out_dtype = DType::kInt8},
       {{R"("compute_dtype": "None", )", ""}}},
      {"dequantize before 0.14",
       Op::kQnnDequantize,
       ir::DequantizeAttrs{.out_dtype = DType::kFloat32},
       {{R"(, "out_dtype": "float32")", ""}}},
      {"conv1d before 0.9",
       Op::kConv1D,
       ir::Conv1DAttrs{},
       {{R"(, "out_layout": ")", R"(, "x": ")"}}},
      {"resize before 0.9",
       Op::kResize2D,
       ir::Resize2DAttrs{.size = ir::IntList{2, 2}, .roi = {}},
       {{R"("roi": ")", R"("x": ")"}, {R"("extrapolation_value": "0", )", ""}}},
      {"split before 0.18",
       Op::kSplit,
       ir::SplitAttrs{2, 1},
       {{R"({"type_key": "runtime.BoxInt", "repr_str": "2"})",
         R"({"type_key": "IntImm", "attrs": {"dtype": "int32", "value": "2"}})"}}},
      {"split at indices before 0.18",
       Op::kSplit,
       ir::SplitAttrs{ir::IntList{3}, 1},
       {{R"({"type_key": "runtime.BoxInt", "repr_str": "3"})",
         R"({"type_key": "IntImm", "attrs": {"dtype": "int32", "value": "3"}})"}}},
      {"qnn.add before 0.9",
       Op::kQnnAdd,
       ir::BroadcastAttrs{},
       {{R"({"type_key": "relay.attrs.BroadcastAttrs", "attrs": {"lhs_axis": "-1", "rhs_axis": "-1"}})",
         R"({"type_key": ""})"}}},
      {"a module before 0.16",
       Op::kRelu,
       {},
       {{R"("global_infos": )", R"("x": )"}, {R"("struct_info_": "0", )", ""}}},
      {"a module before 0.8",
       Op::kRelu,
       {},
       {{R"("source_map": )", R"("x": )"}, {R"({"attrs": )", R"({"x": )"}}},
      {"expressions before 0.9",
       Op::kRelu,
       {},
       {{R"(, "virtual_device_": ")", R"(, "x": ")"}, {R"("virtual_device_": ")", R"("x": ")"}}},
  };
  for (const OldFile& file : files) {
    SCOPED_TRACE(file.what);
    Graph graph;
    const NodeId x = graph.add_input("x", kFloats);
    std::vector<NodeId> operands(ir::op_info(file.op).arguments, x);
    graph.set_output(graph.add_call(file.op, operands, file.attrs));
    std::string text = written(graph);
    for (const auto& [from, to] : file.edits) text = replaced(text, from, to);
    EXPECT_EQ(first_difference(graph, parse_module(text, "old").main()), std::nullopt);
  }
}

/// The number of the runtime.String `text` in a written module.
std::string string_number(const std::string& module, const std::string& text) {
  const std::size_t at =
      module.find(R"({"type_key": "runtime.String", "repr_str": ")" + text + '"');
  EXPECT_NE(at, std::string::npos);
  const auto lines =
      std::count(module.begin(), module.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  return std::to_string(lines - 2);  // two lines before node 0
}

TEST(OldVersions, TextsMayStandInline) {
  Graph graph;
  const NodeId x = graph.add_input("x", kFloats);
  const NodeId pad = graph.add_call(
      Op::kPad, {x, x}, ir::PadAttrs{.pad_width = {{0, 0}, {1, 1}}, .pad_mode = "edge"});
  graph.set_output(graph.add_call(Op::kTake, {pad, x}, ir::TakeAttrs{.axis = 1, .mode = "wrap"}));
  std::string text = written(graph);
  text = replaced(text, R"("pad_mode": ")" + string_number(text, "edge") + '"',
                  R"("pad_mode": "edge")");
  text = replaced(text, R"("mode": ")" + string_number(text, "wrap") + '"', R"("mode": "wrap")");
  EXPECT_EQ(first_difference(graph, parse_module(text, "old").main()), std::nullopt);
}

TEST(OldVersions, TextNeedsTheRightNode) {
  Graph graph;
  const NodeId x = graph.add_input("x", kFloats);
  graph.set_output(graph.add_call(Op::kTake, {x, x}, ir::TakeAttrs{.axis = 1, .mode = "wrap"}));
  const std::string text = written(graph);
  const std::string field = R"("mode": ")" + string_number(text, "wrap") + '"';
  EXPECT_THAT(reading_error(replaced(text, field, R"("mode": "1")")),
              testing::HasSubstr("field 'mode' is node 1, a IRModule; expected a runtime.String"));
  EXPECT_THAT(reading_error(replaced(text, field, R"("mode": "99999")")),
              testing::HasSubstr("field 'mode' is \"99999\", expected the number of one of the"));
}

}  // namespace
}  // namespace tvmq::relay
