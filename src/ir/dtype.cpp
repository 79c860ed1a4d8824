#include "ir/dtype.h"

#include <array>

#include "base/error.h"

namespace tvmq::ir {
namespace {

struct Row {
  DType dtype;
  std::string_view name;
  std::size_t size;
};

constexpr std::array kRows{
    Row{DType::kVoid, "", 0},           Row{DType::kBool, "bool", 1},
    Row{DType::kInt8, "int8", 1},       Row{DType::kInt16, "int16", 2},
    Row{DType::kInt32, "int32", 4},     Row{DType::kInt64, "int64", 8},
    Row{DType::kUInt8, "uint8", 1},     Row{DType::kUInt16, "uint16", 2},
    Row{DType::kUInt32, "uint32", 4},   Row{DType::kUInt64, "uint64", 8},
    Row{DType::kFloat16, "float16", 2}, Row{DType::kFloat32, "float32", 4},
    Row{DType::kFloat64, "float64", 8},
};

const Row& row(DType dtype) {
  const auto index = static_cast<std::size_t>(dtype);
  check(index < kRows.size() && kRows[index].dtype == dtype, "dtype without a row");
  return kRows[index];
}

}  // namespace

std::string_view dtype_name(DType dtype) { return row(dtype).name; }

std::optional<DType> parse_dtype(std::string_view name) {
  if (name == "void") return DType::kVoid;
  for (const Row& candidate : kRows) {
    if (candidate.name == name) return candidate.dtype;
  }
  return std::nullopt;
}

std::size_t dtype_size(DType dtype) { return row(dtype).size; }

bool is_float(DType dtype) {
  return dtype == DType::kFloat16 || dtype == DType::kFloat32 || dtype == DType::kFloat64;
}

bool is_integer(DType dtype) { return dtype >= DType::kInt8 && dtype <= DType::kUInt64; }

}  // namespace tvmq::ir
