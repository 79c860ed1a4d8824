// How an attribute struct describes its own fields, once, for everyone: TVM's file format, the text
// form, comparison and help all walk the same list, so they cannot drift apart.
//
//   struct ClipAttrs {
//     double a_min = 0;
//     double a_max = 0;
//     static constexpr std::string_view kTypeKey = "ClipAttrs";   // TVM: relay.attrs.ClipAttrs
//     static constexpr auto fields() {
//       return std::tuple{field("a_min", &ClipAttrs::a_min), field("a_max", &ClipAttrs::a_max)};
//     }
//     bool operator==(const ClipAttrs&) const = default;
//   };
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "ir/dtype.h"

namespace tvmq::ir {

using IntList = std::vector<std::int64_t>;
using OptionalInt = std::optional<std::int64_t>;
using OptionalIntList = std::optional<IntList>;
using IntMatrix = std::vector<IntList>;
using DoubleList = std::vector<double>;

/// TVM's split: into `int` equal sections, or at a list of indices.
using SectionsOrIndices = std::variant<std::int64_t, IntList>;

/// Whether TVM's files store a text as a runtime.String node or as text in place
/// (relay_quantize.md 1.1.3). Meaningless for fields that are not text.
enum class TextStorage : std::uint8_t { kStringNode, kInline };

template <class Struct, class Value>
struct Field {
  std::string_view name;
  Value Struct::*member;
  TextStorage text_storage;
};

template <class Struct, class Value>
constexpr Field<Struct, Value> field(std::string_view name, Value Struct::*member) {
  return {name, member, TextStorage::kStringNode};
}
template <class Struct>
constexpr Field<Struct, std::string> inline_text(std::string_view name,
                                                 std::string Struct::*member) {
  return {name, member, TextStorage::kInline};
}

/// Calls visitor(field, value) for every field of `attrs`, in TVM's order.
template <class Attrs, class Visitor>
void for_each_field(Attrs& attrs, Visitor&& visitor) {
  std::apply([&](const auto&... each) { (visitor(each, attrs.*(each.member)), ...); },
             std::remove_cvref_t<Attrs>::fields());
}

}  // namespace tvmq::ir
