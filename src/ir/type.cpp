#include "ir/type.h"

namespace tvmq::ir {

std::string to_string(const TensorType& type) {
  return std::string(dtype_name(type.dtype)) + to_string(type.shape);
}

std::string to_string(const Type& type) {
  if (const auto* tensor = std::get_if<TensorType>(&type)) return to_string(*tensor);
  if (const auto* tuple = std::get_if<TupleType>(&type)) {
    std::string text = "(";
    for (std::size_t i = 0; i < tuple->fields.size(); ++i) {
      if (i > 0) text += ", ";
      text += to_string(tuple->fields[i]);
    }
    return text + ")";
  }
  return "?";
}

}  // namespace tvmq::ir
