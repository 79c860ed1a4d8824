// Element types of tensors, with TVM's names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tvmq::ir {

enum class DType : std::uint8_t {
  kVoid,  ///< "not set": TVM's empty dtype, the default of many out_dtype attributes
  kBool,  ///< one byte per element, 0 or 1
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUInt8,
  kUInt16,
  kUInt32,
  kUInt64,
  kFloat16,  ///< carried and converted, never computed in
  kFloat32,
  kFloat64,
};

/// "float32", "uint8", "bool", ...; "" for kVoid.
std::string_view dtype_name(DType dtype);
/// The inverse of dtype_name; "void" is kVoid too. Nothing for names we do not know.
std::optional<DType> parse_dtype(std::string_view name);
/// Bytes per element; 0 for kVoid.
std::size_t dtype_size(DType dtype);
bool is_float(DType dtype);
/// True for signed and unsigned integers, not for kBool.
bool is_integer(DType dtype);

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<bool> {
  static constexpr DType kValue = DType::kBool;
};
template <>
struct DTypeOf<std::int8_t> {
  static constexpr DType kValue = DType::kInt8;
};
template <>
struct DTypeOf<std::int16_t> {
  static constexpr DType kValue = DType::kInt16;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType kValue = DType::kInt32;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType kValue = DType::kInt64;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType kValue = DType::kUInt8;
};
template <>
struct DTypeOf<std::uint16_t> {
  static constexpr DType kValue = DType::kUInt16;
};
template <>
struct DTypeOf<std::uint32_t> {
  static constexpr DType kValue = DType::kUInt32;
};
template <>
struct DTypeOf<std::uint64_t> {
  static constexpr DType kValue = DType::kUInt64;
};
template <>
struct DTypeOf<float> {
  static constexpr DType kValue = DType::kFloat32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType kValue = DType::kFloat64;
};

}  // namespace tvmq::ir
