// Reads the parts of the text form that are values: numbers, types, attributes, constants.
#pragma once

#include <string>
#include <string_view>

#include "ir/attrs.h"
#include "ir/tensor.h"
#include "ir/text_tokens.h"
#include "ir/type.h"

namespace tvmq::ir {

/// Each read_* takes the tokens of one value from the lexer, or throws InputError.
class ValueReader {
 public:
  explicit ValueReader(Lexer& lexer) : lexer_(lexer) {}

  /// The next token if it is this word or punctuation; false leaves it.
  bool accept(std::string_view text);
  void expect(std::string_view text);
  std::string read_string();
  std::int64_t read_int();

  Type read_type();
  /// Behind "constant": a tensor type and the elements.
  Tensor read_constant();
  /// "{a = 1}": changes the fields of `attrs` that are named.
  void read_fields(Attrs& attrs);
  /// Behind the arguments of an opaque call: "with ClipAttrs {...}", or nothing.
  Attrs read_opaque_attrs();

 private:
  TensorType read_tensor_type();
  DType read_dtype();
  OpaqueValue read_opaque_value();
  template <class T>
  T read_number(std::string_view what);
  template <class T>
  Tensor read_elements(const TensorType& type, bool splat);
  Tensor read_hex(const TensorType& type);

  void read(std::int64_t& value);
  void read(bool& value);
  void read(double& value);
  void read(DType& value);
  void read(std::string& value);
  void read(SectionsOrIndices& value);
  template <class T>
  void read(std::vector<T>& list);
  template <class T>
  void read(std::optional<T>& value);

  Lexer& lexer_;
};

}  // namespace tvmq::ir
