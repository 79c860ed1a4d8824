// What is known about a value before it is computed.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "ir/dtype.h"
#include "ir/tensor.h"

namespace tvmq::ir {

struct TensorType {
  DType dtype = DType::kVoid;
  Shape shape;
  bool operator==(const TensorType&) const = default;
};

struct TupleType {
  std::vector<TensorType> fields;
  bool operator==(const TupleType&) const = default;
};

/// std::monostate: not known (an opaque operator's result, or not inferred yet).
using Type = std::variant<std::monostate, TensorType, TupleType>;

inline bool is_known(const Type& type) { return !std::holds_alternative<std::monostate>(type); }

/// "float32(1, 3, 224, 224)", "(int32(8), float32())", "?".
std::string to_string(const TensorType& type);
std::string to_string(const Type& type);

}  // namespace tvmq::ir
