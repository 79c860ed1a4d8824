#include "relay/params.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"
#include "ir/structural_equal.h"

namespace tvmq::relay {
namespace {

using testing::HasSubstr;

std::string from_hex(std::string_view hex) {
  std::string bytes;
  std::string digits;
  for (const char c : hex) {
    if (c == ' ' || c == '\n') continue;
    digits += c;
    if (digits.size() < 2) continue;
    bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
    digits.clear();
  }
  return bytes;
}

/// What TVM writes for {"b": int8 [0, 1, 2], "flag": bool [true]}, in its map's order.
const std::string& tvm_bytes() {
  static const std::string bytes = from_hex(R"(
b79c04054f8de5f7 0000000000000000 0200000000000000
0400000000000000 666c6167 0100000000000000 62 0200000000000000
3fa1b496f0405edd 0000000000000000 01000000 00000000 01000000 01 01 0100
0100000000000000 0100000000000000 01
3fa1b496f0405edd 0000000000000000 01000000 00000000 01000000 00 08 0100
0300000000000000 0300000000000000 000102)");
  return bytes;
}

/// Offsets in tvm_bytes().
constexpr std::size_t kCountAt = 16;
constexpr std::size_t kNameLengthAt = 24;
constexpr std::size_t kSecondCountAt = 45;
constexpr std::size_t kFlagAt = 53;  // the record of `flag`

std::string written(const NamedTensors& params) {
  std::string bytes;
  write_params(params, [&](std::string_view piece) { bytes += piece; });
  return bytes;
}

std::string reading_error(std::string_view bytes) {
  try {
    parse_params(bytes, "w.params");
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

template <class T>
std::string patched(std::size_t offset, T value) {
  std::string bytes = tvm_bytes();
  std::memcpy(bytes.data() + offset, &value, sizeof(T));
  return bytes;
}

TEST(Params, ReadsWhatTvmWrote) {
  const NamedTensors params = parse_params(tvm_bytes(), "w.params");
  ASSERT_EQ(params.size(), 2);
  EXPECT_TRUE(params.at("b").same_bytes(ir::Tensor::from<std::int8_t>({3}, {0, 1, 2})));
  EXPECT_TRUE(params.at("flag").same_bytes(ir::Tensor::from<bool>({1}, {true})));
}

TEST(Params, WritesTheSameRecordsInTheOrderOfTheNames) {
  const std::string bytes = written(parse_params(tvm_bytes(), "w.params"));
  EXPECT_EQ(bytes.size(), tvm_bytes().size());
  const std::string b = tvm_bytes().substr(kFlagAt + 49);
  const std::string flag = tvm_bytes().substr(kFlagAt, 49);
  EXPECT_EQ(bytes.substr(kFlagAt), b + flag);
  EXPECT_EQ(written(parse_params(bytes, "again")), bytes);
}

TEST(Params, EveryDTypeAndShapeSurvives) {
  using ir::DType;
  NamedTensors params;
  for (const DType dtype : {DType::kBool, DType::kInt8, DType::kInt16, DType::kInt32, DType::kInt64,
                            DType::kUInt8, DType::kUInt16, DType::kUInt32, DType::kUInt64,
                            DType::kFloat16, DType::kFloat32, DType::kFloat64}) {
    const std::string name(dtype_name(dtype));
    params[name + "_scalar"] = ir::Tensor::zeros(dtype, {});
    params[name + "_empty"] = ir::Tensor::zeros(dtype, {2, 0, 3});
    params[name] = ir::Tensor::zeros(dtype, {2, 1, 3});
    params[name].mutable_bytes()[0] = std::byte{1};
  }
  const NamedTensors again = parse_params(written(params), "w.params");
  ASSERT_EQ(again.size(), params.size());
  for (const auto& [name, tensor] : params) EXPECT_TRUE(again.at(name).same_bytes(tensor)) << name;
}

TEST(Params, TheLastOfTwoEqualNamesCountsAndTrailingBytesDoNot) {
  std::string bytes = from_hex(
      "b79c04054f8de5f7 0000000000000000 0200000000000000"
      "0100000000000000 62 0100000000000000 62 0200000000000000");
  const std::string record = tvm_bytes().substr(kFlagAt + 49);
  bytes += record + record;
  bytes.back() = 7;
  const NamedTensors params = parse_params(bytes + "left over", "w.params");
  ASSERT_EQ(params.size(), 1);
  EXPECT_EQ(params.at("b").data<std::int8_t>()[2], 7);
}

TEST(Params, AnyByteButZeroIsTrue) {
  std::string bytes = tvm_bytes();
  bytes[kFlagAt + 48] = 'x';
  EXPECT_TRUE(parse_params(bytes, "w").at("flag").same_bytes(ir::Tensor::from<bool>({1}, {true})));
}

TEST(Params, RefusesEveryTruncation) {
  for (std::size_t size = 0; size < tvm_bytes().size(); ++size) {
    EXPECT_THAT(reading_error(std::string_view(tvm_bytes()).substr(0, size)),
                HasSubstr("w.params: "))
        << size;
  }
}

TEST(Params, RefusesWhatIsWrongAndSaysWhere) {
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 60;
  const std::pair<std::string, const char*> cases[] = {
      {patched(0, std::uint64_t{1}), "w.params: byte 0: a params file starts with"},
      {patched(kCountAt, kHuge), "byte 16: 1152921504606846976 names announced"},
      {patched(kCountAt, std::uint64_t{1}), "byte 44: a tensor starts with"},
      {patched(kNameLengthAt, kHuge), "byte 32: a name needs 1152921504606846976 bytes"},
      {patched(kNameLengthAt, ~std::uint64_t{0}), "byte 32: a name needs 18446744073709551615"},
      {patched(kSecondCountAt, kHuge), "byte 45: 1152921504606846976 tensors for 2 names"},
      {patched(kFlagAt, std::uint64_t{1}), "tensor 'flag': byte 53: a tensor starts with"},
      {patched(kFlagAt + 16, std::int32_t{2}), "byte 69: device type 2, expected 1 (CPU)"},
      {patched(kFlagAt + 24, std::int32_t{-1}), "byte 77: -1 dimensions"},
      {patched(kFlagAt + 24, std::int32_t{1 << 30}), "byte 77: 1073741824 dimensions"},
      {patched(kFlagAt + 28, std::uint8_t{4}), "byte 81: dtype code 4, 1 bits, 1 lanes"},
      {patched(kFlagAt + 29, std::uint8_t{4}), "byte 81: dtype code 1, 4 bits, 1 lanes"},
      {patched(kFlagAt + 30, std::uint16_t{4}), "byte 81: dtype code 1, 1 bits, 4 lanes"},
      {patched(kFlagAt + 32, std::int64_t{-1}), "byte 85: dimension -1"},
      {patched(kFlagAt + 32, std::int64_t{2}), "byte 93: 1 bytes of data announced"},
      {patched(kFlagAt + 40, std::int64_t{2}), "byte 93: 2 bytes of data announced"},
      {patched(kFlagAt + 40, std::int64_t{-1}), "byte 93: -1 bytes of data announced"},
  };
  for (const auto& [bytes, message] : cases) {
    EXPECT_THAT(reading_error(bytes), HasSubstr(message));
  }
  // Shape and size agree, but the file does not hold that much.
  std::string both = patched(kFlagAt + 32, kHuge);
  std::memcpy(both.data() + kFlagAt + 40, &kHuge, sizeof(kHuge));
  EXPECT_THAT(reading_error(both), HasSubstr("needs 1152921504606846976 bytes, but only"));
}

ir::Graph two_inputs(const std::string& first, const std::string& second) {
  ir::Graph graph;
  const ir::TensorType type{ir::DType::kFloat32, {2}};
  const ir::NodeId a = graph.add_input(first, type);
  const ir::NodeId b = graph.add_input(second, type);
  graph.set_output(graph.add_call(ir::Op::kAdd, {a, b}));
  return graph;
}

TEST(BindParams, MakesInputsConstants) {
  const ir::Tensor weight = ir::Tensor::from<float>({2}, {1, 2});
  const ir::Graph bound =
      bind_params(two_inputs("w", "x"), {{"w", weight}, {"unused", ir::Tensor::scalar(1.0F)}});
  ir::Graph expected;
  const ir::NodeId x = expected.add_input("x", ir::TensorType{ir::DType::kFloat32, {2}});
  const ir::NodeId w = expected.add_constant(weight, "w");
  expected.set_output(expected.add_call(ir::Op::kAdd, {w, x}));
  EXPECT_EQ(first_difference(bound, expected), std::nullopt);
  EXPECT_EQ(bound[bound[bound.output()].inputs[0]].name, "w");
}

TEST(BindParams, AnInputMayBeTheOutput) {
  ir::Graph graph;
  graph.set_output(graph.add_input("w", ir::Type{}));
  const ir::Graph bound = bind_params(graph, {{"w", ir::Tensor::scalar(1.0F)}});
  EXPECT_TRUE(bound[bound.output()].is_constant());
  EXPECT_TRUE(bound.inputs().empty());
}

TEST(BindParams, RefusesOtherTypesAndAmbiguousNames) {
  const auto error = [](const ir::Graph& graph, const ir::Tensor& tensor) -> std::string {
    try {
      bind_params(graph, {{"w", tensor}});
    } catch (const InputError& caught) {
      return caught.what();
    }
    return {};
  };
  EXPECT_THAT(error(two_inputs("w", "x"), ir::Tensor::from<float>({3}, {1, 2, 3})),
              HasSubstr("'w': the model declares float32(2), the params file has float32(3)"));
  EXPECT_THAT(error(two_inputs("w", "x"), ir::Tensor::from<std::int8_t>({2}, {1, 2})),
              HasSubstr("the params file has int8(2)"));
  EXPECT_THAT(error(two_inputs("w", "w"), ir::Tensor::from<float>({2}, {1, 2})),
              HasSubstr("two inputs named 'w'"));
}

}  // namespace
}  // namespace tvmq::relay
