// From a dtype known at run time to a C++ type.
#pragma once

#include <cstdint>
#include <type_traits>

#include "exec/reference_kernel.h"
#include "ir/dtype.h"

namespace tvmq::exec {

/// Calls visitor(std::type_identity<T>{}) with the C++ type of an integer dtype.
/// Returns false, without a call, for any other dtype.
template <class Visitor>
bool visit_integer(ir::DType dtype, Visitor&& visitor) {
  using ir::DType;
  switch (dtype) {
    case DType::kInt8:
      visitor(std::type_identity<std::int8_t>{});
      return true;
    case DType::kInt16:
      visitor(std::type_identity<std::int16_t>{});
      return true;
    case DType::kInt32:
      visitor(std::type_identity<std::int32_t>{});
      return true;
    case DType::kInt64:
      visitor(std::type_identity<std::int64_t>{});
      return true;
    case DType::kUInt8:
      visitor(std::type_identity<std::uint8_t>{});
      return true;
    case DType::kUInt16:
      visitor(std::type_identity<std::uint16_t>{});
      return true;
    case DType::kUInt32:
      visitor(std::type_identity<std::uint32_t>{});
      return true;
    case DType::kUInt64:
      visitor(std::type_identity<std::uint64_t>{});
      return true;
    case DType::kVoid:
    case DType::kBool:
    case DType::kFloat16:
    case DType::kFloat32:
    case DType::kFloat64:
      return false;
  }
  return false;
}

/// The same for float32 and float64.
template <class Visitor>
bool visit_float(ir::DType dtype, Visitor&& visitor) {
  if (dtype == ir::DType::kFloat32) {
    visitor(std::type_identity<float>{});
    return true;
  }
  if (dtype == ir::DType::kFloat64) {
    visitor(std::type_identity<double>{});
    return true;
  }
  return false;
}

/// Throws the InputError that `call` has no result for elements of `dtype`.
[[noreturn]] void refuse_dtype(const KernelCall& call, ir::DType dtype);

/// Integers and floats; refuses bool and float16.
template <class Visitor>
void visit_number(const KernelCall& call, ir::DType dtype, Visitor&& visitor) {
  if (!visit_float(dtype, visitor) && !visit_integer(dtype, visitor)) refuse_dtype(call, dtype);
}
/// float32 and float64 only.
template <class Visitor>
void visit_real(const KernelCall& call, ir::DType dtype, Visitor&& visitor) {
  if (!visit_float(dtype, visitor)) refuse_dtype(call, dtype);
}
/// Numbers and bool.
template <class Visitor>
void visit_element(const KernelCall& call, ir::DType dtype, Visitor&& visitor) {
  if (dtype == ir::DType::kBool) {
    visitor(std::type_identity<bool>{});
  } else {
    visit_number(call, dtype, visitor);
  }
}

}  // namespace tvmq::exec
