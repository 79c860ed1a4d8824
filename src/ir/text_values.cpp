#include "ir/text_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace tvmq::ir {

bool ValueReader::accept(std::string_view text) {
  const Token& token = lexer_.peek();
  const bool can_match = token.kind == TokenKind::kWord || token.kind == TokenKind::kPunctuation;
  if (!can_match || token.text != text) return false;
  lexer_.next();
  return true;
}

void ValueReader::expect(std::string_view text) {
  if (!accept(text)) lexer_.fail(lexer_.peek(), fmt::format("'{}'", text));
}

std::string ValueReader::read_string() {
  const Token token = lexer_.next();
  if (token.kind != TokenKind::kString) lexer_.fail(token, "a text in double quotes");
  return lexer_.unquoted(token);
}

template <class T>
T ValueReader::read_number(std::string_view what) {
  const Token token = lexer_.next();
  // "inf" and "nan" are words.
  const bool can_be = token.kind == TokenKind::kNumber || token.kind == TokenKind::kWord;
  T value{};
  const char* end = token.text.data() + token.text.size();
  const auto [stop, error] = std::from_chars(token.text.data(), end, value);
  if (!can_be || error != std::errc() || stop != end) lexer_.fail(token, what);
  return value;
}

std::int64_t ValueReader::read_int() { return read_number<std::int64_t>("an integer"); }

// Types -------------------------------------------------------------------------------------------

DType ValueReader::read_dtype() {
  const Token token = lexer_.next();
  const auto dtype = parse_dtype(token.text);
  if (token.kind != TokenKind::kWord || !dtype) lexer_.fail(token, "a dtype such as float32");
  return *dtype;
}

TensorType ValueReader::read_tensor_type() {
  TensorType type;
  type.dtype = read_dtype();
  expect("(");
  while (!accept(")")) {
    if (!type.shape.empty()) expect(",");
    type.shape.push_back(accept("?") ? kDynamicDim : read_int());
  }
  return type;
}

Type ValueReader::read_type() {
  if (accept("?")) return {};
  if (!accept("(")) return read_tensor_type();
  TupleType tuple;
  while (!accept(")")) {
    if (!tuple.fields.empty()) expect(",");
    tuple.fields.push_back(read_tensor_type());
  }
  return tuple;
}

// Constants ---------------------------------------------------------------------------------------

template <class T>
Tensor ValueReader::read_elements(const TensorType& type, bool splat) {
  // bool has no from_chars; its elements are written 0 and 1.
  using Number = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;
  const Token first = lexer_.peek();
  std::vector<Number> values;
  if (splat) {
    const std::int64_t count = *element_count(type.shape);
    if (count > kMaxSplat) lexer_.fail(first, fmt::format("at most {} splat elements", kMaxSplat));
    values.assign(static_cast<std::size_t>(count), read_number<Number>("a number of that dtype"));
  } else {
    while (!accept("]")) {
      if (!values.empty()) expect(",");
      values.push_back(read_number<Number>("a number of that dtype"));
    }
  }
  if (static_cast<std::int64_t>(values.size()) != *element_count(type.shape)) {
    lexer_.fail(first,
                fmt::format("{} elements, not {}", *element_count(type.shape), values.size()));
  }
  Tensor tensor(type.dtype, type.shape);
  const auto bytes = std::as_bytes(std::span(values));
  std::copy(bytes.begin(), bytes.end(), tensor.mutable_bytes());
  return tensor;
}

Tensor ValueReader::read_hex(const TensorType& type) {
  const Token token = lexer_.next();
  if (token.kind != TokenKind::kString) lexer_.fail(token, "hex digits in double quotes");
  // Divided, not multiplied: the shape may promise more than fits in memory.
  const std::size_t width = dtype_size(type.dtype);
  const auto count = static_cast<std::size_t>(*element_count(type.shape));
  if (token.text.size() % (2 * width) != 0 || token.text.size() / (2 * width) != count) {
    lexer_.fail(token, fmt::format("{} hex digits for each of {} elements", 2 * width, count));
  }
  Tensor tensor(type.dtype, type.shape);
  for (std::size_t i = 0; i < tensor.byte_size(); ++i) {
    unsigned byte = 0;
    const char* begin = token.text.data() + 2 * i;
    const auto [stop, error] = std::from_chars(begin, begin + 2, byte, 16);
    if (error != std::errc() || stop != begin + 2) lexer_.fail(token, "hex digits only");
    tensor.mutable_bytes()[i] = static_cast<std::byte>(byte);
  }
  return tensor;
}

Tensor ValueReader::read_constant() {
  const Token first = lexer_.peek();
  const TensorType type = read_tensor_type();
  if (type.dtype == DType::kVoid || !element_count(type.shape)) {
    lexer_.fail(first, "a dtype and dimensions that are known and whose product fits in 63 bits");
  }
  if (accept("hex")) return read_hex(type);
  const Token token = lexer_.peek();
  const bool splat = accept("splat");
  if (!splat && !accept("[")) {
    lexer_.fail(token, "the elements as [...], splat or hex (an elided constant cannot be read)");
  }
  switch (type.dtype) {
    case DType::kBool:
      return read_elements<bool>(type, splat);
    case DType::kInt8:
      return read_elements<std::int8_t>(type, splat);
    case DType::kInt16:
      return read_elements<std::int16_t>(type, splat);
    case DType::kInt32:
      return read_elements<std::int32_t>(type, splat);
    case DType::kInt64:
      return read_elements<std::int64_t>(type, splat);
    case DType::kUInt8:
      return read_elements<std::uint8_t>(type, splat);
    case DType::kUInt16:
      return read_elements<std::uint16_t>(type, splat);
    case DType::kUInt32:
      return read_elements<std::uint32_t>(type, splat);
    case DType::kUInt64:
      return read_elements<std::uint64_t>(type, splat);
    case DType::kFloat32:
      return read_elements<float>(type, splat);
    case DType::kFloat64:
      return read_elements<double>(type, splat);
    case DType::kFloat16:
    case DType::kVoid:
      lexer_.fail(token, "hex for float16 elements");
  }
  throw InternalError("dtype without a reader");
}

// Attributes --------------------------------------------------------------------------------------

void ValueReader::read(std::int64_t& value) { value = read_int(); }

void ValueReader::read(bool& value) {
  const Token token = lexer_.peek();
  value = accept("true");
  if (!value && !accept("false")) lexer_.fail(token, "true or false");
}

void ValueReader::read(double& value) { value = read_number<double>("a number"); }

void ValueReader::read(DType& value) { value = read_dtype(); }

void ValueReader::read(std::string& value) { value = read_string(); }

void ValueReader::read(SectionsOrIndices& value) {
  if (lexer_.peek().text == "[") {
    read(value.emplace<IntList>());
  } else {
    value = read_int();
  }
}

template <class T>
void ValueReader::read(std::vector<T>& list) {
  list.clear();
  expect("[");
  while (!accept("]")) {
    if (!list.empty()) expect(",");
    read(list.emplace_back());
  }
}

template <class T>
void ValueReader::read(std::optional<T>& value) {
  if (accept("null")) {
    value.reset();
  } else {
    read(value.emplace());
  }
}

OpaqueValue ValueReader::read_opaque_value() {
  OpaqueValue result;
  if (accept("inline")) result.text_storage = TextStorage::kInline;
  const Token kind = lexer_.next();
  auto& value = result.value;
  if (kind.kind != TokenKind::kWord) lexer_.fail(kind, "the kind of a value, such as int");
  if (kind.text == "null") return result;
  if (kind.text == "int") {
    read(value.emplace<std::int64_t>());
  } else if (kind.text == "bool") {
    read(value.emplace<bool>());
  } else if (kind.text == "float") {
    read(value.emplace<double>());
  } else if (kind.text == "dtype") {
    read(value.emplace<DType>());
  } else if (kind.text == "string") {
    read(value.emplace<std::string>());
  } else if (kind.text == "ints") {
    read(value.emplace<IntList>());
  } else if (kind.text == "matrix") {
    read(value.emplace<IntMatrix>());
  } else if (kind.text == "floats") {
    read(value.emplace<DoubleList>());
  } else if (kind.text == "split") {
    read(value.emplace<SectionsOrIndices>());
  } else {
    lexer_.fail(kind, "null, int, bool, float, dtype, string, ints, matrix, floats or split");
  }
  return result;
}

void ValueReader::read_fields(Attrs& attrs) {
  expect("{");
  std::set<std::string> seen;
  while (!accept("}")) {
    if (!seen.empty()) expect(",");
    const Token name = lexer_.next();
    if (!seen.insert(std::string(name.text)).second) lexer_.fail(name, "each attribute once");
    auto* opaque = std::get_if<OpaqueAttrs>(&attrs);
    if (name.kind != (opaque != nullptr ? TokenKind::kString : TokenKind::kWord)) {
      lexer_.fail(name, "the name of an attribute");
    }
    expect("=");
    if (opaque != nullptr) {
      opaque->fields.emplace_back(lexer_.unquoted(name), read_opaque_value());
      continue;
    }
    bool found = false;
    std::string known;
    std::visit(
        [&]<class T>(T& typed) {
          if constexpr (requires { T::fields(); }) {
            for_each_field(typed, [&](const auto& field, auto& value) {
              known += known.empty() ? "" : ", ";
              known += field.name;
              if (field.name != name.text) return;
              found = true;
              read(value);
            });
          }
        },
        attrs);
    if (!found) {
      lexer_.fail(name, known.empty() ? "no attributes" : fmt::format("one of {}", known));
    }
  }
}

namespace {

/// The alternative of Attrs whose type key is `key`, with its defaults.
template <std::size_t I = 0>
std::optional<Attrs> attrs_of_key(std::string_view key) {
  if constexpr (I == std::variant_size_v<Attrs>) {
    return std::nullopt;
  } else {
    using Alternative = std::variant_alternative_t<I, Attrs>;
    if constexpr (requires { Alternative::fields(); }) {
      if (Alternative::kTypeKey == key) return Attrs(Alternative{});
    }
    return attrs_of_key<I + 1>(key);
  }
}

}  // namespace

Attrs ValueReader::read_opaque_attrs() {
  Attrs attrs;
  if (!accept("with")) return attrs;
  const Token key = lexer_.next();
  if (key.kind == TokenKind::kString) {
    attrs = OpaqueAttrs{lexer_.unquoted(key), {}};
  } else {
    auto known = attrs_of_key(key.text);
    if (!known) lexer_.fail(key, "a type key, such as ClipAttrs or one in quotes");
    attrs = *std::move(known);
  }
  read_fields(attrs);
  return attrs;
}

}  // namespace tvmq::ir
