#include "relay/module_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ir/structural_equal.h"
#include "relay/module_text.h"

namespace tvmq::relay {
namespace {

using testing::HasSubstr;

ir::Graph parse_main(std::string_view text) { return parse_module(text, "model.json").main(); }

TEST(ModuleReader, ReadsAModule) {
  const ir::Graph graph = parse_main(kReluModule);
  ASSERT_EQ(graph.size(), 2);
  ASSERT_EQ(graph.inputs().size(), 1);
  EXPECT_EQ(graph[0].name, "x");
  EXPECT_EQ(graph[0].type, ir::Type(ir::TensorType{ir::DType::kFloat32, {4}}));
  EXPECT_TRUE(graph[graph.output()].is_call(ir::Op::kRelu));
  EXPECT_EQ(graph[graph.output()].name, "layer1");
}

TEST(ModuleReader, EscapesMeanWhatTheyStandFor) {
  struct Case {
    std::string_view from;
    std::string_view to;
    std::string_view name;  // of the input
  };
  for (const Case& each : {
           Case{R"("repr_str": "x")", R"("repr_str": "\u0078")", "x"},
           Case{R"("repr_str": "x")", R"("repr_str": "a\\b \"c\"\n")", "a\\b \"c\"\n"},
           Case{R"("repr_str": "x")", R"("repr_str": "\\")", "\\"},
           Case{R"("repr_str": "x")", R"("repr_str": "\"")", "\""},
           Case{R"("repr_str": "x")", R"("repr_str": "")", ""},
           Case{R"("repr_str": "x")", R"("r\u0065pr_str": "x")", "x"},
           Case{R"("dtype": "float32")", R"("\u0064type": "floa\u007432")", "x"},
       }) {
    const ir::Graph graph = parse_main(replaced(kReluModule, each.from, each.to));
    EXPECT_EQ(graph[0].name, each.name) << each.to;
    EXPECT_EQ(graph[0].type, ir::Type(ir::TensorType{ir::DType::kFloat32, {4}})) << each.to;
  }
  for (const std::string_view wrong : {R"("\x")", R"("\u12")", R"("\ud800")", "\"\n\"", R"("\)"}) {
    EXPECT_THAT(reading_error(replaced(kReluModule, R"("x")", wrong)), HasSubstr("not valid JSON"))
        << wrong;
  }
}

TEST(ModuleReader, ReadsAFunctionAsMain) {
  const ir::Graph graph = parse_main(replaced(kReluModule, R"("root": 1)", R"("root": 4)"));
  EXPECT_TRUE(graph[graph.output()].is_call(ir::Op::kRelu));
}

TEST(ModuleReader, TakesTheFirstNameOfASequentialSpan) {
  const std::string text =
      replaced(kReluModule, R"({"type_key": "Span", "attrs": {"source_name": "17", "line": "0"}})",
               R"({"type_key": "SequentialSpan", "attrs": {"source_name": "18", "spans": "19"}})");
  const std::string more = replaced(text, R"("repr_str": "layer1"})", R"("repr_str": "layer1"},
{"type_key": "SourceName"}, {"type_key": "Array", "data": [0, 20, 21]},
{"type_key": "Span", "attrs": {"source_name": "18"}},
{"type_key": "Span", "attrs": {"source_name": "17"}})");
  const ir::Graph graph = parse_main(more);
  EXPECT_EQ(graph[graph.output()].name, "layer1");
}

TEST(ModuleReader, VariablesAreTheirIdentityNotTheirName) {
  // A second Var node of the same vid is the same variable.
  const std::string same = replaced(replaced(kReluModule, R"({"type_key": "Array", "data": [8]},
{"type_key": "relay.Id")",
                                             R"({"type_key": "Array", "data": [18]},
{"type_key": "relay.Id")"),
                                    R"("repr_str": "layer1"})", R"("repr_str": "layer1"},
{"type_key": "relay.Var", "attrs": {"vid": "11", "type_annotation": "0"}})");
  EXPECT_EQ(parse_main(same).size(), 2);
  // One of another vid is free, although its name is the same.
  const std::string other = replaced(same, R"("vid": "11", "type_annotation": "0"}})",
                                     R"("vid": "19", "type_annotation": "0"}},
{"type_key": "relay.Id", "attrs": {"name_hint": "13"}})");
  EXPECT_THAT(reading_error(other), HasSubstr("variable 'x' is neither a parameter nor bound"));
}

TEST(ModuleReader, OpenDimensionsAreDynamic) {
  const ir::Graph graph = parse_main(
      replaced(kReluModule, R"({"type_key": "IntImm", "attrs": {"dtype": "int32", "value": "4"}})",
               R"({"type_key": "tir.Any", "attrs": {"dtype": "int32"}})"));
  EXPECT_EQ(graph[0].tensor_type().shape, ir::Shape{ir::kDynamicDim});
}

TEST(ModuleReader, ReadsPastWhatMainDoesNotReach) {
  const std::string text =
      replaced(replaced(kReluModule, "[3, 4]", "[3, 4, 18, 19]"), R"("repr_str": "layer1"})",
               R"("repr_str": "layer1"},
{"type_key": "GlobalVar", "attrs": {"name_hint": "20"}},
{"type_key": "relay.Function", "attrs": {"params": "no index", "body": "21"}},
{"type_key": "runtime.String", "repr_str": "other"},
{"type_key": "relay.Match", "attrs": {"data": "999999"}},
{"type_key": "fork.Unheard", "attrs": {"a": "b"}, "data": [22]})");
  EXPECT_EQ(parse_module(text, "model.json").functions.size(), 1);
}

struct HostileCase {
  const char* from;
  const char* to;
  const char* message;
};

TEST(ModuleReader, RefusesWhatIsWrongAndSaysWhy) {
  const std::vector<HostileCase> cases{
      // JSON
      {R"({"root")", R"(["root")", "expected a JSON object"},
      {R"("root": 1,)", "", "expected the keys \"root\" and \"nodes\""},
      {R"("root": 1)", R"("root": 99)", "root 99 is not one of the 18 nodes"},
      {R"("root": 1)", R"("root": -1)", "root: expected a node's number"},
      {R"("root": 1)", R"("root": 1, "roots": 1)", "\"roots\" is unknown"},
      {R"("root": 1)", R"("root": 1, "root": 1)", "appears twice"},
      {R"("nodes": [)", R"("nodes": {)", "nodes: "},
      {R"({"type_key": ""})", R"({"type_key": "Map"})", "node 0 is not null"},
      {R"({"type_key": ""})", "7", "node 0: expected an object, found a number"},
      {R"({"type_key": "Map")", R"({"type_key": 5)", "node 2: expected a string as type_key"},
      {R"({"type_key": "Map")", R"({"kind": "x", "type_key": "Map")",
       "node 2: unknown key \"kind\""},
      {"[3, 4]", "[3, 99]", "node 2 (Map): data refers to node 99, but there are only 18"},
      {"[3, 4]", "[3, \"4\"]", "node 2: expected a node's number"},
      {"[3, 4]", "[3, 4294967296]", "node 2: data refers to node 4294967296"},
      {"[3, 4]", "[3, -1]", "node 2: expected a node's number"},
      {"[3, 4]", "[3, 1.5]", "node 2: expected a node's number"},
      {"[3, 4]", "[[3, 4]]", "node 2: expected a node's number"},
      {R"("functions": "2"})", R"("functions": 2})", "node 1: expected a string as functions"},
      {R"("b64ndarrays": [])", R"("b64ndarrays": [3])", "tensor 0: expected a string"},
      {R"("repr_str": "main")", R"("repr_b64": "AAA=")", "node 5: repr_b64 is not base64"},
      {R"("0.19.0"}})", R"("0.19.0"}} {})", "text behind the closing brace"},
      {R"("0.19.0"}})", R"("0.19.0"})", "not valid JSON"},
      {R"("0.19.0")", "\"0.19.0", "not valid JSON"},
      {R"("0.19.0")", "\"\xff\"", "not valid JSON"},
      // module
      {R"("root": 1)", R"("root": 2)", "node 2 (Map): expected a Relay module"},
      {R"("root": 1)", R"("root": 0)", "node 0 (null): expected a Relay module"},
      {R"("functions": "2")", R"("functions": "3")", "field 'functions' is node 3, a GlobalVar"},
      {R"("functions": "2")", R"("functions": "0")", "field 'functions' is null"},
      {R"("functions": "2")", R"("x": "2")", "field 'functions' is missing"},
      {R"("functions": "2")", R"("functions": "18")", "expected the number of one of the 18 nodes"},
      {R"("functions": "2")", R"("functions": "two")", "is \"two\", expected the number"},
      {"[3, 4]", "[3]", "a key without a function"},
      {"[3, 4]", "[4, 3]", "has node 4 as a key, expected a GlobalVar"},
      {"[3, 4]", "[3, 9]", "node 9 (Op): is the function 'main', expected a relay.Function"},
      {"[3, 4]", "[3, 0]", "node 0 (null): is the function 'main'"},
      {R"("repr_str": "main")", R"("repr_str": "Main")", "no function 'main' among the 1"},
      // function
      {R"("params": "6")", R"("params": "5")", "field 'params' is node 5, a runtime.String"},
      {R"("body": "7")", R"("body": "9")", "node 9 (Op): node 4 computes with it"},
      {R"("body": "7")", R"("body": "4")", "node 4 (relay.Function): node 4 computes with it"},
      {R"({"type_key": "Array", "data": [8]})", R"({"type_key": "Array", "data": [8, 8]})",
       "node 8 (relay.Var): is a parameter twice"},
      {R"({"type_key": "Array", "data": [8]})", R"({"type_key": "Array", "data": [7]})",
       "parameter 7 is not a relay.Var"},
      {R"({"type_key": "Array", "data": [8]},
{"type_key": "relay.Id")",
       R"({"type_key": "Array", "data": [7]},
{"type_key": "relay.Id")",
       "node 7 (relay.Call): is its own operand"},
      {R"({"type_key": "Array", "data": [8]},
{"type_key": "relay.Id")",
       R"({"type_key": "Array", "data": [8, 8]},
{"type_key": "relay.Id")",
       "nn.relu takes 1 arguments, found 2"},
      {R"("args": "10")", R"("args": "0")", "field 'args' is null"},
      {R"("op": "9")", R"("op": "4")", "calls node 4, a relay.Function"},
      {R"("op": "9")", R"("op": "0")", "field 'op' is null"},
      {R"("op": "9")", R"("op": "3")", "calls itself or is called in a circle"},
      {"relay.Call", "relay.If", "node 7 (relay.If): node 4 computes with it"},
      {"nn.relu", "nn.softmax", "the attributes of nn.softmax are of another type: null"},
      {"nn.relu", "relay.op.annotation.simulated_quantize", "an intermediate step of TVM's"},
      {R"("attrs": "0")", R"("attrs": "8")", "node 8 (relay.Var): attributes of a type"},
      // types
      {R"("type_annotation": "12")", R"("type_annotation": "9")", "node 9 is the type Op"},
      {R"("dtype": "float32")", R"("dtype": "bfloat16")", "is the dtype \"bfloat16\""},
      {R"("value": "4")", R"("value": "-4")", "dimension -4, expected 0 or more"},
      {R"("value": "4")", R"("value": "99999999999999999999")", "expected an integer"},
      {R"("value": "4")", R"("value": "4x")", "expected an integer"},
      {R"("value": "4")", R"("val": "4")", "node 15 (IntImm): field 'value' is missing"},
      {"IntImm", "FloatImm", "expected node 15 to be a constant integer (IntImm), found FloatImm"},
      {R"("shape": "14")", R"("shape": "15")", "expected node 15 to be an Array, found IntImm"},
  };
  for (const HostileCase& each : cases) {
    const std::string message = reading_error(replaced(kReluModule, each.from, each.to));
    EXPECT_THAT(message, HasSubstr(each.message)) << each.from << " -> " << each.to;
    EXPECT_THAT(message, testing::StartsWith("model.json: ")) << each.to;
  }
  EXPECT_THAT(reading_error(""), HasSubstr("not valid JSON"));
  EXPECT_THAT(reading_error("model"), HasSubstr("expected a JSON object"));
  EXPECT_THAT(reading_error("{}"), HasSubstr("expected the keys"));
  EXPECT_THAT(reading_error(std::string(100'000, '[')), HasSubstr("model.json: "));
}

TEST(ModuleReader, SurvivesEveryTruncation) {
  for (std::size_t size = 0; size < kReluModule.size(); ++size) {
    EXPECT_NE(reading_error(kReluModule.substr(0, size)), "") << size;
  }
}

TEST(ModuleReader, SurvivesEveryChangedByte) {
  std::string text(kReluModule);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char original = text[i];
    for (const char other : {'0', '9', '"', '}', ',', '\\', '\0'}) {
      text[i] = other;
      reading_error(text);  // anything but an InputError or success ends the test
    }
    text[i] = original;
  }
}

TEST(ModuleReader, RefusesTensorsThatAreNot) {
  const std::string constant =
      replaced(replaced(kReluModule, R"({"type_key": "Array", "data": [8]},
{"type_key": "relay.Id")",
                        R"({"type_key": "Array", "data": [18]},
{"type_key": "relay.Id")"),
               R"("repr_str": "layer1"})",
               R"("repr_str": "layer1"}, {"type_key": "relay.Constant", "attrs": {"data": "0"}})");
  EXPECT_THAT(reading_error(constant), HasSubstr("data is tensor 0, but b64ndarrays has 0"));
  const auto with = [&](const std::string& tensor) {
    return reading_error(
        replaced(constant, R"("b64ndarrays": [])", R"("b64ndarrays": [")" + tensor + R"("])"));
  };
  EXPECT_THAT(with("AAA"), HasSubstr("tensor 0 is not base64"));
  EXPECT_THAT(with("AA\\/A"), HasSubstr("tensor 0 is not base64"));
  EXPECT_THAT(with(""), HasSubstr("tensor 0 of b64ndarrays: byte 0: a tensor's header needs 8"));
  EXPECT_THAT(with("AAAAAAAAAAAA"), HasSubstr("byte 0: a tensor starts with 0xdd5e40f096b4a13f"));
}

TEST(ModuleReader, SharedTextsAndListsDoNotMultiply) {
  // Each would be copied by every node that refers to it.
  const std::string long_text(5000, 'x');
  EXPECT_THAT(reading_error(replaced(kReluModule, "layer1", long_text)),
              HasSubstr("a text of 5000 bytes, expected at most 4096"));
  std::string dims = "15";
  for (int i = 0; i < 2000; ++i) dims += ", 15";
  EXPECT_THAT(reading_error(replaced(kReluModule, "[15]", "[" + dims + "]")),
              HasSubstr("node 14 has 2001 elements, expected at most 1024"));
  // A tower of tuples, each with the same thousand fields but the one below.
  std::string fields = "8";
  for (int i = 0; i < 1000; ++i) fields += ", 8";
  std::string more = R"("repr_str": "layer1"}, {"type_key": "Array", "data": [)" + fields + "]}";
  std::string tuples = "8";
  for (int i = 0; i < 3000; ++i) {
    more += R"(, {"type_key": "relay.Tuple", "attrs": {"fields": "18"}})";
    tuples += ", " + std::to_string(19 + i);
  }
  more += R"(, {"type_key": "relay.Tuple", "attrs": {"fields": "3020"}},)";
  more += R"({"type_key": "Array", "data": [)" + tuples + "]}";
  std::string text = replaced(kReluModule, R"("repr_str": "layer1"})", more);
  text = replaced(text, R"("body": "7")", R"("body": "3019")");
  EXPECT_THAT(reading_error(text), HasSubstr("share their lists of operands"));
}

TEST(ModuleReader, DepthDoesNotMatter) {
  // A chain that recursion could not survive: nodes 18, 19 are the second call and its arguments,
  // and so on.
  constexpr int kDepth = static_cast<int>(most_values(0)) - 2;
  std::string more = R"("repr_str": "layer1"})";
  for (int i = 0; i < kDepth; ++i) {
    const int call = 18 + 2 * i;
    more += R"(,{"type_key":"relay.Call","attrs":{"op":"9","args":")" + std::to_string(call + 1) +
            R"(","attrs":"0"}},{"type_key":"Array","data":[)" +
            std::to_string(i == kDepth - 1 ? 8 : call + 2) + "]}";
  }
  std::string text = replaced(kReluModule, R"("repr_str": "layer1"})", more);
  text = replaced(text, R"({"type_key": "Array", "data": [8]},
{"type_key": "relay.Id")",
                  R"({"type_key": "Array", "data": [18]},
{"type_key": "relay.Id")");
  const ir::Graph graph = parse_main(text);
  EXPECT_EQ(graph.size(), kDepth + 2);
  EXPECT_GT(written(graph).size(), kDepth);
}

}  // namespace
}  // namespace tvmq::relay
