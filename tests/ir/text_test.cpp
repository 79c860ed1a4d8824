#include "ir/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "ir/structural_equal.h"

namespace tvmq::ir {
namespace {

using testing::HasSubstr;

/// Texts as to_text() writes them.
class Canonical : public testing::TestWithParam<const char*> {};

TEST_P(Canonical, IsReadAndWrittenBackAsItWas) {
  EXPECT_EQ(to_text(parse_graph(GetParam())), GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Texts, Canonical,
    testing::Values(
        "graph(%x) {\n  return %x\n}\n",
        "graph(%x: float32(?, 3), %y: (int8(), bool(2)), %2 \"odd name\") {\n  return %y\n}\n",
        R"(graph(%data: float32(1, 3, 8, 8), %1 "data": int8(), %2 "0 \"\\\n\t\x00\xff": void(-3)) {
  %3 = constant float32(4, 3, 3, 3) splat 0.1 "conv0_weight"
  %4 = nn.conv2d(%data, %3) {padding = [1, 1, 1, 1], channels = 4, data_layout = "NHWC", out_dtype = int32} : float32(1, 4, 8, 8) "layer0"
  %5 = clip(%4) {a_min = -0, a_max = 6}
  %6 = tuple(%4, %5, %4) : (float32(), int32(1))
  %7 = field 2 of(%6)
  %8 = split(%7) {indices_or_sections = [1, 2], axis = -1}
  %9 = nn.pad(%7, %1) {pad_width = [[0, 0], [1, 2]], pad_mode = "edge"}
  %10 = tuple() let "nothing" "unit"
  return %8
}
)",
        R"(graph() {
  %0 = constant float32() [0.0625]
  %1 = constant float32(2, 2) [-0, inf, 1e-45, 3.4028235e+38]
  %2 = constant float64(1) [0.1]
  %3 = constant int64(2) [-9223372036854775808, 9223372036854775807]
  %4 = constant bool(2) [1, 0]
  %5 = constant uint8(0, 5) []
  %6 = constant float32(1) hex "0100c07f"
  %7 = constant float16(1) hex "003c"
  %8 = constant uint64(1) hex "ffffffffffffffff"
  %9 = constant bool(1) hex "02"
  %10 = constant int8(17) hex "000102030405060708090a0b0c0d0e0f10"
  %11 = constant int8(17) splat -1
  return %0
}
)",
        R"(graph(%x) {
  %1 = opaque "vision.yolo_reorg"(%x) with "YoloReorgAttrs" {"stride" = int 2, "a b" = null, "c" = inline string "x", "d" = bool true, "e" = float 0.5, "f" = dtype void, "g" = ints [1, 2], "h" = matrix [[1], []], "i" = floats [0.5, nan], "j" = split 3, "k" = split [1]}
  %2 = opaque "qnn.softmax"(%1) with SoftmaxAttrs {}
  %3 = opaque "nn.unheard_of"()
  %4 = opaque "other"(%x) with "Attrs" {}
  %5 = invoke "quantize_inputs"(%x, %3)
  return %5
}
)"));

TEST(Text, ParsesWhatPeopleWrite) {
  const Graph graph = parse_graph(R"(
    // Comments and any spacing are fine, names may stand for numbers.
    graph(%data : float32(1,2) , %w: float32(2)) {
      %sum=add(%data,%w)   // the sum
      %out = nn.relu ( %sum ) { } "act"
      return %out })");
  EXPECT_EQ(to_text(graph), R"(graph(%data: float32(1, 2), %w: float32(2)) {
  %2 = add(%data, %w)
  %3 = nn.relu(%2) "act"
  return %3
}
)");
}

TEST(Text, KeepsEveryOperatorWithItsDefaults) {
  for (int i = 1; i <= static_cast<int>(Op::kSimulatedQuantize); ++i) {
    const OpInfo& info = op_info(static_cast<Op>(i));
    Graph graph;
    const NodeId x = graph.add_input("x", {});
    graph.set_output(
        graph.add_call(info.op, std::vector<NodeId>(info.arguments, x), info.default_attrs));
    EXPECT_EQ(first_difference(parse_graph(to_text(graph)), graph), std::nullopt) << info.name;
  }
}

TEST(Text, MovesInputsToTheFront) {
  Graph graph;
  const NodeId one = graph.add_constant(Tensor::scalar(1.0F), "one");
  const NodeId x = graph.add_input("x", TensorType{DType::kFloat32, {}});
  graph.set_output(graph.add_call(Op::kAdd, {x, one}));
  const Graph parsed = parse_graph(to_text(graph));
  EXPECT_EQ(first_difference(parsed, graph), std::nullopt);
  EXPECT_EQ(parsed[0].name, "x");
  EXPECT_EQ(parsed[1].name, "one");
}

TEST(Text, OptionsDecideHowConstantsLook) {
  Graph graph;
  graph.set_output(graph.add_constant(Tensor::from<std::int8_t>({3}, {1, 2, 3})));
  EXPECT_THAT(to_text(graph, {.listed_elements = 2}), HasSubstr("hex \"010203\""));
  EXPECT_THAT(to_text(graph, {.listed_elements = 2, .elide_large_constants = true}),
              HasSubstr("int8(3) elided\n"));
  EXPECT_THAT(to_text(graph, {.elide_large_constants = true}), HasSubstr("[1, 2, 3]"));
}

TEST(Text, KeepsEveryBitOfAConstant) {
  Graph graph;
  Tensor tensor(DType::kFloat32, {4096});
  std::uint32_t bits = 1;
  for (float& each : tensor.mutable_data<float>()) {
    std::memcpy(&each, &bits, sizeof bits);
    bits = bits * 1664525U + 1013904223U;
  }
  graph.set_output(graph.add_constant(tensor));
  for (const std::int64_t listed : {0, 1 << 20}) {
    const Graph parsed = parse_graph(to_text(graph, {.listed_elements = listed}));
    EXPECT_TRUE(parsed[0].value.same_bytes(tensor));
  }
}

struct Broken {
  const char* text;
  const char* message;
};

void PrintTo(const Broken& each, std::ostream* out) { *out << each.text; }

class BrokenText : public testing::TestWithParam<Broken> {};

TEST_P(BrokenText, IsAnInputErrorWithLineAndColumn) {
  try {
    parse_graph(GetParam().text, "net.txt");
    ADD_FAILURE() << "no error";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::StartsWith("net.txt: line "));
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Texts, BrokenText,
    testing::Values(
        Broken{"", "line 1, column 1: found the end of the text, expected 'graph'"},
        Broken{"graph(\n  %x,\n  %x) {}", "line 3, column 3: found \"x\", expected a name that is"},
        Broken{"graph() { return %x }", "expected a value that is defined above"},
        Broken{"graph(%x) { %y = nn.relu(%y) return %y }", "defined above"},
        Broken{"graph(%x) { %y = nn.rely(%x) return %y }",
               "found \"nn.rely\", expected an operator"},
        Broken{"graph(%x) { return %x } more", "expected nothing behind"},
        Broken{"graph(%x) { return %x", "found the end of the text, expected '}'"},
        Broken{"graph(%) {", "a name or a number behind %"},
        Broken{"graph(%x \"abc", "a closing quote"}, Broken{"graph(%x \"abc\\", "a closing quote"},
        Broken{"graph(%x \"abc\n\"", "a closing quote"},
        Broken{"graph(%x \"\\q\"", "only the escapes"},
        Broken{"graph(%x \"\\x1\"", "only the escapes"},
        Broken{"graph(%x \"\\xAB\"", "only the escapes"},
        Broken{"graph(%x: float31()", "a dtype such as float32"},
        Broken{"graph(%x: float32(1 2)", "expected ','"},
        Broken{"graph(%x: float32(99999999999999999999))", "an integer"},
        Broken{"graph() { %0 = constant float32(2) [1]", "2 elements, not 1"},
        Broken{"graph() { %0 = constant float32(1) [1, 2]", "1 elements, not 2"},
        Broken{"graph() { %0 = constant float32(1) [x]", "a number of that dtype"},
        Broken{"graph() { %0 = constant int8(1) [128]", "a number of that dtype"},
        Broken{"graph() { %0 = constant uint8(1) [-1]", "a number of that dtype"},
        Broken{"graph() { %0 = constant float32(?) [1]", "dimensions that are known"},
        Broken{"graph() { %0 = constant float32(-2) [1]", "dimensions that are known"},
        Broken{"graph() { %0 = constant void(1) [1]", "dimensions that are known"},
        Broken{"graph() { %0 = constant float32(4294967296, 4294967296) [1]", "63 bits"},
        Broken{"graph() { %0 = constant float32(1099511627776) splat 1", "at most 16777216 splat"},
        Broken{"graph() { %0 = constant float64(9223372036854775807) hex \"00\"", "hex digits for"},
        Broken{"graph() { %0 = constant int8(1) hex \"0g\"", "hex digits only"},
        Broken{"graph() { %0 = constant int8(1) hex \"-1\"", "hex digits only"},
        Broken{"graph() { %0 = constant int8(1) hex \"0\"", "2 hex digits for each of 1 elements"},
        Broken{"graph() { %0 = constant int8(1) elided", "an elided constant cannot be read"},
        Broken{"graph() { %0 = constant float16(1) [1]", "hex for float16"},
        Broken{"graph(%x) { %0 = clip(%x) {a_mean = 1}", "expected one of a_min, a_max"},
        Broken{"graph(%x) { %0 = clip(%x) {a_min = 1, a_min = 2}", "each attribute once"},
        Broken{"graph(%x) { %0 = clip(%x) {a_min = [1]}", "a number"},
        Broken{"graph(%x) { %0 = nn.relu(%x) {a = 1}", "expected no attributes"},
        Broken{"graph(%x) { %0 = reshape(%x) {newshape = [[1]]}", "an integer"},
        Broken{"graph(%x) { %0 = opaque \"\"(%x) return %0 }", "the name of an operator"},
        Broken{"graph(%x) { %0 = invoke \"\"(%x) return %0 }", "the name of a function"},
        Broken{"graph(%x) { %0 = opaque \"a\"(%x) with Nothing {}", "a type key"},
        Broken{"graph(%x) { %0 = opaque \"a\"(%x) with \"A\" {\"b\" = huh 1}", "null, int, bool"},
        Broken{"graph(%x) { %0 = opaque \"a\"(%x) with \"A\" {b = int 1}", "name of an attribute"},
        Broken{"graph(%x) { %0 = field x of(%x)", "an integer"},
        Broken{"graph(%x) { @", "found \"@\", expected a value such as %1"}));

// Every prefix and every text with one byte changed is a graph or an InputError, nothing else.
TEST(Text, SurvivesDamage) {
  const std::string text = R"(graph(%x "n\x00": (int8(2), float32(?))) {
  %1 = constant float32(2) [1.5, -inf] "w"
  %2 = constant int8(2) hex "00ff"
  %3 = opaque "o"(%1) with "A" {"b" = matrix [[1], [2]]}
  %4 = nn.conv2d(%1, %2) {padding = [1, 1], channels = 8, kernel_layout = "HWIO"} : ? let "l" "n"
  return %4
}
)";
  const auto survives = [](std::string_view damaged) {
    try {
      parse_graph(damaged);
    } catch (const InputError&) {
    }
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    survives(std::string_view(text).substr(0, i));
    for (const char byte : {'\0', '"', '\\', '%', '(', ']', '9', '-', '\n', '\xff'}) {
      std::string damaged = text;
      damaged[i] = byte;
      survives(damaged);
    }
  }
}

/// Mutations reach what a seed reaches: a new operator needs one (HACKING.md).
TEST(Text, FuzzingStartsFromEveryOperator) {
  const std::filesystem::path corpus = std::filesystem::path(TVMQ_TESTS_DIR) / "../fuzz/corpus";
  std::string texts;
  std::string modules;
  for (const auto& entry : std::filesystem::directory_iterator(corpus / "text")) {
    texts += read_file(entry.path());
  }
  for (const auto& entry : std::filesystem::directory_iterator(corpus / "module")) {
    modules += read_file(entry.path());
  }
  for (int op = 1; op < static_cast<int>(Op::kSimulatedQuantize); ++op) {  // of files
    const std::string name(op_info(static_cast<Op>(op)).name);
    EXPECT_NE(texts.find(name + "("), std::string::npos) << name;
    EXPECT_NE(modules.find('"' + name + '"'), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace tvmq::ir
