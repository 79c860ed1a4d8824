#include "data/convert.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace tvmq::data {
namespace {

/// 64 bits of mantissa on x86: holds every value of every element type.
using Wide = long double;
static_assert(std::numeric_limits<Wide>::digits >= 64);

Wide half_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 0x1f;
  const int fraction = bits & 0x3ff;
  Wide value = 0;
  if (exponent == 0x1f) {
    value = fraction != 0 ? std::numeric_limits<Wide>::quiet_NaN()
                          : std::numeric_limits<Wide>::infinity();
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<Wide>(fraction), -24);
  } else {
    value = std::ldexp(static_cast<Wide>(fraction | 0x400), exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

/// Calls `action` with a value of the C++ type of `dtype`.
template <class Action>
void with_type(ir::DType dtype, std::string_view name, Action action) {
  switch (dtype) {
    case ir::DType::kBool:
      return action(bool{});
    case ir::DType::kInt8:
      return action(std::int8_t{});
    case ir::DType::kInt16:
      return action(std::int16_t{});
    case ir::DType::kInt32:
      return action(std::int32_t{});
    case ir::DType::kInt64:
      return action(std::int64_t{});
    case ir::DType::kUInt8:
      return action(std::uint8_t{});
    case ir::DType::kUInt16:
      return action(std::uint16_t{});
    case ir::DType::kUInt32:
      return action(std::uint32_t{});
    case ir::DType::kUInt64:
      return action(std::uint64_t{});
    case ir::DType::kFloat32:
      return action(float{});
    case ir::DType::kFloat64:
      return action(double{});
    case ir::DType::kFloat16:
    case ir::DType::kVoid:
      break;
  }
  throw InputError(fmt::format("{}: the model's input is {}, which cannot be filled from files",
                               name, ir::dtype_name(dtype)));
}

Wide read_element(const ir::Tensor& tensor, std::int64_t index, std::string_view name) {
  const std::byte* from =
      tensor.bytes() + static_cast<std::size_t>(index) * ir::dtype_size(tensor.dtype());
  if (tensor.dtype() == ir::DType::kFloat16) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, from, sizeof(bits));
    return half_value(bits);
  }
  Wide value = 0;
  with_type(tensor.dtype(), name, [&]<class T>(T element) {
    std::memcpy(&element, from, sizeof(element));
    value = static_cast<Wide>(element);
  });
  return value;
}

/// False if T does not have the value.
template <class T>
bool store(Wide value, T& to) {
  if (std::isnan(value)) {
    to = std::numeric_limits<T>::quiet_NaN();
    return std::numeric_limits<T>::has_quiet_NaN;
  }
  const bool infinite = std::isinf(value) && std::numeric_limits<T>::has_infinity;
  // Outside its range a conversion to an integer is undefined.
  if (!infinite && (value < static_cast<Wide>(std::numeric_limits<T>::lowest()) ||
                    value > static_cast<Wide>(std::numeric_limits<T>::max()))) {
    return false;
  }
  to = static_cast<T>(value);
  return static_cast<Wide>(to) == value;
}

}  // namespace

ir::Tensor convert_exactly(const ir::Tensor& tensor, ir::DType dtype,
                           std::string_view name_for_errors) {
  if (tensor.dtype() == dtype) return tensor;
  ir::Tensor result;
  with_type(dtype, name_for_errors, [&]<class T>(T /*type*/) {
    result = ir::Tensor(dtype, tensor.shape());
    auto elements = result.mutable_data<T>();
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      const Wide value = read_element(tensor, i, name_for_errors);
      if (store(value, elements[static_cast<std::size_t>(i)])) continue;
      throw InputError(fmt::format(
          "{}: element {} is {:.20g} in {}, a value that the model's {} input does not have; round "
          "it yourself with astype('{}')",
          name_for_errors, i, value, ir::dtype_name(tensor.dtype()), ir::dtype_name(dtype),
          ir::dtype_name(dtype)));
    }
  });
  return result;
}

}  // namespace tvmq::data
