// Modules made to do harm: each is refused with the place named, or read, in memory that is in
// proportion to the file.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "driver/memory_budget.h"
#include "ir/infer_types.h"
#include "passes/pipeline.h"
#include "quant/integer_scheme.h"
#include "relay/base64.h"
#include "relay/module_reader.h"
#include "relay/module_text.h"
#include "support/process_memory.h"
#include "support/sanitizer.h"

namespace tvmq::driver {
namespace {

using relay::kReluModule;
using relay::replaced;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;

constexpr std::uint64_t kLimit = std::uint64_t{1} << 30;

/// What the program does before it needs samples; the message of the InputError it ends in.
std::string error_of(std::string_view json) {
  try {
    const ir::Module module = relay::parse_module(json, "model.json");
    ir::Graph graph = module.main();
    ir::infer_types(graph);
    require_memory(graph, kLimit, "model.json");
    NullLog log;
    quant::plan_integer(passes::prepare_for_integers(graph, log), {});
  } catch (const InputError& error) {
    return error.what();
  }
  return "none";
}

/// The module above with the input's only dimension another text.
std::string with_dimension(std::string_view value) {
  return replaced(kReluModule, R"("dtype": "int32", "value": "4")",
                  fmt::format(R"("dtype": "int64", "value": "{}")", value));
}

/// error_of(), and the memory it took held against size x 8 + 256 MB.
std::string error_within_memory(std::string_view json) {
  if (kSanitizer) return error_of(json);
  const support::ProcessMemory memory;
  std::string error = error_of(json);
  EXPECT_LE(memory.most(), json.size() * 8 + 256'000'000) << "of a file of " << json.size();
  return error;
}

TEST(HostileModules, DimensionsThatNoArrayHas) {
  EXPECT_EQ(error_of(with_dimension("4")), "none");
  EXPECT_THAT(error_of(with_dimension("-4")), HasSubstr("model.json"));
  EXPECT_THAT(error_of(with_dimension("-9223372036854775808")), HasSubstr("model.json"));
  EXPECT_THAT(error_of(with_dimension("9223372036854775808")), HasSubstr("node 15"));
  EXPECT_THAT(error_of(with_dimension("4.5")), HasSubstr("node 15"));
  EXPECT_THAT(error_of(with_dimension("\\u0000")), HasSubstr("node 15"));
  EXPECT_EQ(error_of(with_dimension("0")), "none");
}

TEST(HostileModules, WhatIsTooLargeIsRefusedBeforeItIsAllocated) {
  const std::string error = error_within_memory(with_dimension("10800000000"));
  EXPECT_THAT(error, AllOf(HasSubstr("model.json"), HasSubstr("float32(10800000000)"),
                           HasSubstr("takes 43200 MB")));
  EXPECT_THAT(error_within_memory(with_dimension("9223372036854775807")),
              HasSubstr("float32(9223372036854775807)"));
  const std::string product =
      replaced(replaced(kReluModule, R"("data": [15]})", R"("data": [15, 15, 15, 15, 15]})"),
               R"("value": "4")", R"("value": "65536")");
  EXPECT_THAT(error_within_memory(product), HasSubstr("65536, 65536"));
}

TEST(HostileModules, Cycles) {
  EXPECT_THAT(error_of(replaced(kReluModule, R"({"type_key": "Array", "data": [8]},
{"type_key": "relay.Id")",
                                R"({"type_key": "Array", "data": [7]},
{"type_key": "relay.Id")")),
              HasSubstr("is its own operand"));
  EXPECT_THAT(error_of(replaced(kReluModule, R"("data": [15]})", R"("data": [14]})")),
              HasSubstr("node 14"));
  EXPECT_THAT(error_of(replaced(kReluModule, R"("body": "7")", R"("body": "4")")),
              HasSubstr("node 4"));
}

TEST(HostileModules, IndicesThatPointNowhere) {
  for (const std::string_view index :
       {"18", "999999999999", "-1", "18446744073709551616", "", "x"}) {
    EXPECT_THAT(
        error_of(replaced(kReluModule, R"("body": "7")", fmt::format(R"("body": "{}")", index))),
        HasSubstr("node 4"))
        << index;
  }
}

/// A chain of so many nn.relu.
std::string chain(int length) {
  std::string nodes;
  for (int i = 1; i < length; ++i) {
    // Call 18 + 2i takes what array 19 + 2i holds: the call before it.
    fmt::format_to(std::back_inserter(nodes),
                   ",\n{{\"type_key\": \"relay.Call\", \"attrs\": {{\"op\": \"9\", \"args\": "
                   "\"{}\", \"attrs\": \"0\"}}}},\n{{\"type_key\": \"Array\", \"data\": [{}]}}",
                   17 + 2 * i, i == 1 ? 7 : 14 + 2 * i);
  }
  std::string text = replaced(kReluModule, R"({"type_key": "SourceName", "repr_str": "layer1"})",
                              R"({"type_key": "SourceName", "repr_str": "layer1"})" + nodes);
  return length == 1
             ? text
             : replaced(text, R"("body": "7")", fmt::format(R"("body": "{}")", 14 + 2 * length));
}

TEST(HostileModules, DepthDoesNotMatter) {
  EXPECT_EQ(error_within_memory(chain(3)), "none");
  EXPECT_EQ(error_within_memory(chain(85'000)), "none");
}

TEST(HostileModules, MoreValuesThanAModuleMayHave) {
  for (const int length : {100'000, 1'000'000}) {
    const std::string module = chain(length);
    const std::size_t most = relay::most_values(module.size());
    EXPECT_THAT(error_within_memory(module),
                AllOf(HasSubstr(fmt::format("node {}", 14 + 2 * most)),
                      HasSubstr(fmt::format("may be {} together", most))));
  }
}

/// x + a constant of one element, whose record says something else: the 64 bits at `offset`.
std::string with_constant(std::size_t offset, std::int64_t value) {
  ir::Graph graph;
  const ir::NodeId x = graph.add_input("x", ir::TensorType{ir::DType::kFloat32, {1}});
  const ir::NodeId constant = graph.add_constant(ir::Tensor::from<float>({1}, {1.5F}), "weight");
  graph.set_output(graph.add_call(ir::Op::kAdd, {x, constant}));
  std::string text = relay::written(graph);
  const std::size_t begin = text.find('"', text.find("\"b64ndarrays\": [") + 16) + 1;
  const std::size_t end = text.find('"', begin);
  std::string record;
  EXPECT_TRUE(relay::decode_base64(text.substr(begin, end - begin), record));
  std::memcpy(record.data() + offset, &value, sizeof(value));
  std::string changed;
  relay::encode_base64(record, changed);
  return text.replace(begin, end - begin, changed);
}

TEST(HostileModules, ConstantsWhoseHeadersLie) {
  constexpr std::size_t kRank = 24;  // and the type behind it
  constexpr std::size_t kDimension = 32;
  constexpr std::size_t kBytes = 40;
  EXPECT_EQ(error_of(with_constant(kDimension, 1)), "none");
  for (const std::int64_t elements :
       {std::int64_t{1} << 40, std::numeric_limits<std::int64_t>::max(), std::int64_t{-1},
        std::numeric_limits<std::int64_t>::min(), std::int64_t{0}, std::int64_t{2}}) {
    EXPECT_THAT(error_within_memory(with_constant(kDimension, elements)),
                AllOf(HasSubstr("model.json"), HasSubstr("tensor 0 of b64ndarrays")))
        << elements;
    EXPECT_THAT(error_within_memory(with_constant(kBytes, elements)),
                HasSubstr("tensor 0 of b64ndarrays"))
        << elements;
  }
  for (const std::int64_t rank : {std::int64_t{0x7FFFFFFF}, std::int64_t{-1}, std::int64_t{1}}) {
    EXPECT_THAT(error_within_memory(with_constant(kRank, rank)),
                HasSubstr("tensor 0 of b64ndarrays"))
        << rank;
  }
}

TEST(HostileModules, ManyOperandsOfOneCall) {
  std::string many = "8";
  for (int i = 1; i < 1'000'000; ++i) many += ",8";
  const std::string text = replaced(kReluModule, R"({"type_key": "Array", "data": [8]},
{"type_key": "relay.Id")",
                                    fmt::format(R"({{"type_key": "Array", "data": [{}]}},
{{"type_key": "relay.Id")",
                                                many));
  EXPECT_THAT(error_within_memory(text), AllOf(HasSubstr("model.json"), HasSubstr("1000000")));
}

TEST(HostileModules, NamesOfAnyBytesAndAnyLength) {
  EXPECT_THAT(error_of(replaced(kReluModule, "layer1", "layer\xff\xfe")),
              AnyOf(HasSubstr("model.json"), "none"));
  EXPECT_EQ(error_of(replaced(kReluModule, "layer1", R"(..\/..\/\u0000\n\u001b[2J)")), "none");
  const std::string long_name(100'000'000, 'x');
  EXPECT_THAT(error_within_memory(replaced(kReluModule, "layer1", long_name)),
              HasSubstr("expected at most 4096"));
  const std::string error =
      error_within_memory(replaced(kReluModule, "nn.relu", "nn.relu" + long_name));
  EXPECT_LT(error.size(), 10'000U) << "a message is for people";
}

TEST(HostileModules, DeepNestingOfTheJson) {
  for (const std::string_view bracket : {"[", "{\"a\":", "[["}) {
    std::string text = R"({"root": )";
    for (int i = 0; i < 1'000'000; ++i) text += bracket;
    EXPECT_THAT(error_within_memory(text), HasSubstr("model.json"));
  }
}

}  // namespace
}  // namespace tvmq::driver
