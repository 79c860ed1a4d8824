#include "relay/schema.h"

#include <type_traits>
#include <utility>

#include "base/error.h"

namespace tvmq::relay {
namespace {

template <class Value>
FieldKind kind_of(ir::TextStorage storage) {
  if constexpr (std::is_same_v<Value, std::int64_t>) return FieldKind::kInt;
  if constexpr (std::is_same_v<Value, bool>) return FieldKind::kBool;
  if constexpr (std::is_same_v<Value, double>) return FieldKind::kDouble;
  if constexpr (std::is_same_v<Value, ir::DType>) return FieldKind::kDType;
  if constexpr (std::is_same_v<Value, std::string>) {
    return storage == ir::TextStorage::kInline ? FieldKind::kInlineText : FieldKind::kStringNode;
  }
  if constexpr (std::is_same_v<Value, ir::OptionalInt>) return FieldKind::kOptionalInt;
  if constexpr (std::is_same_v<Value, ir::IntList> || std::is_same_v<Value, ir::OptionalIntList>) {
    return FieldKind::kIntList;
  }
  if constexpr (std::is_same_v<Value, ir::IntMatrix>) return FieldKind::kIntMatrix;
  if constexpr (std::is_same_v<Value, ir::DoubleList>) return FieldKind::kDoubleList;
  if constexpr (std::is_same_v<Value, ir::SectionsOrIndices>) return FieldKind::kSectionsOrIndices;
}

/// True for the alternatives of ir::Attrs that are a type of TVM's files with a struct of ours.
template <class Attrs>
constexpr bool kHasFileType =
    !std::is_same_v<Attrs, std::monostate> && !std::is_same_v<Attrs, ir::OpaqueAttrs> &&
    !std::is_same_v<Attrs, ir::SimulatedQuantizeAttrs>;

/// Calls visitor(Attrs{}) for the struct with that key; false if there is none.
template <class Visitor, std::size_t... kIndex>
bool visit_struct(std::string_view type_key, Visitor&& visitor, std::index_sequence<kIndex...>) {
  const auto try_one = [&]<class Attrs>(std::type_identity<Attrs>) {
    if constexpr (kHasFileType<Attrs>) {
      if (Attrs::kTypeKey != type_key) return false;
      visitor(Attrs{});
      return true;
    } else {
      return false;
    }
  };
  return (try_one(std::type_identity<std::variant_alternative_t<kIndex, ir::Attrs>>{}) || ...);
}
template <class Visitor>
bool visit_struct(std::string_view type_key, Visitor&& visitor) {
  return visit_struct(type_key, std::forward<Visitor>(visitor),
                      std::make_index_sequence<std::variant_size_v<ir::Attrs>>{});
}

template <class Value>
ir::OpaqueValue to_opaque(const Value& value, ir::TextStorage storage) {
  ir::OpaqueValue result;
  result.text_storage = storage;
  if constexpr (std::is_same_v<Value, ir::OptionalInt> ||
                std::is_same_v<Value, ir::OptionalIntList>) {
    if (value) result.value = *value;
  } else {
    result.value = value;
  }
  return result;
}

template <class Value>
void assign(Value& to, const ir::OpaqueValue& from) {
  constexpr bool kNullable =
      std::is_same_v<Value, ir::OptionalInt> || std::is_same_v<Value, ir::OptionalIntList>;
  if (std::holds_alternative<std::monostate>(from.value)) {
    if constexpr (kNullable) to.reset();
    return;
  }
  if constexpr (std::is_same_v<Value, ir::OptionalInt>) {
    to = std::get<std::int64_t>(from.value);
  } else if constexpr (std::is_same_v<Value, ir::OptionalIntList>) {
    to = std::get<ir::IntList>(from.value);
  } else {
    to = std::get<Value>(from.value);
  }
}

}  // namespace

std::optional<std::vector<AttrField>> attr_fields(std::string_view type_key) {
  std::vector<AttrField> fields;
  const bool found = visit_struct(type_key, [&](auto attrs) {
    ir::for_each_field(attrs, [&](const auto& field, const auto& value) {
      using Value = std::remove_cvref_t<decltype(value)>;
      fields.push_back({field.name, kind_of<Value>(field.text_storage)});
    });
  });
  if (found) return fields;
  return opaque_attr_fields(type_key);
}

std::string_view attrs_type_key(const ir::Attrs& attrs) {
  return std::visit(
      []<class Struct>(const Struct& each) -> std::string_view {
        if constexpr (std::is_same_v<Struct, std::monostate>) {
          throw InternalError("a call without attributes has no attribute type");
        } else if constexpr (std::is_same_v<Struct, ir::OpaqueAttrs>) {
          return each.type_key;
        } else {
          return Struct::kTypeKey;
        }
      },
      attrs);
}

std::vector<ir::OpaqueValue> attr_values(const ir::Attrs& attrs) {
  std::vector<ir::OpaqueValue> values;
  std::visit(
      [&]<class Struct>(const Struct& each) {
        if constexpr (std::is_same_v<Struct, ir::OpaqueAttrs>) {
          for (const auto& [name, value] : each.fields) values.push_back(value);
        } else if constexpr (!std::is_same_v<Struct, std::monostate>) {
          ir::for_each_field(each, [&](const auto& field, const auto& value) {
            values.push_back(to_opaque(value, field.text_storage));
          });
        }
      },
      attrs);
  return values;
}

ir::Attrs make_attrs(std::string_view type_key,
                     const std::vector<std::optional<ir::OpaqueValue>>& values) {
  ir::Attrs result;
  const bool found = visit_struct(type_key, [&](auto attrs) {
    std::size_t i = 0;
    ir::for_each_field(attrs, [&](const auto& /*field*/, auto& value) {
      if (values.at(i)) assign(value, *values[i]);
      ++i;
    });
    result = std::move(attrs);
  });
  if (found) return result;
  const auto fields = opaque_attr_fields(type_key);
  check(fields.has_value(), "the attribute type is known");
  ir::OpaqueAttrs opaque;
  opaque.type_key = type_key;
  for (std::size_t i = 0; i < fields->size(); ++i) {
    opaque.fields.emplace_back((*fields)[i].name, values.at(i).value_or(ir::OpaqueValue{}));
  }
  return opaque;
}

}  // namespace tvmq::relay
