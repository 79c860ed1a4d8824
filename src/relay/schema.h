// The attribute types of TVM v0.19: which fields an attribute node has, in which order and stored
// how. The one table behind reading and writing.
//
// Types that have a struct in ir/attrs*.h describe themselves (ir/attr_field.h); all others that
// TVM v0.19 registers are rows of opaque_schema.cpp and are carried as ir::OpaqueAttrs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/attrs.h"

namespace tvmq::relay {

/// How a field is stored (docs/relay_format.md, "Attributes"). In brackets: what OpaqueValue holds.
enum class FieldKind : std::uint8_t {
  kInt,                ///< decimal text [int64]
  kBool,               ///< "0" or "1" [bool]
  kDouble,             ///< text with 17 digits [double]
  kDType,              ///< TVM's name of the type, "" if void [DType]
  kInlineText,         ///< the text itself [string]
  kStringNode,         ///< node runtime.String, or null [string, monostate]
  kOptionalInt,        ///< node IntImm, or null [int64, monostate]
  kOptionalBool,       ///< node IntImm of dtype bool, or null [bool, monostate]
  kOptionalDouble,     ///< node FloatImm, or null [double, monostate]
  kIntList,            ///< node Array of IntImm, or null [IntList, monostate]
  kIntMatrix,          ///< node Array of Array of IntImm, or null [IntMatrix, monostate]
  kDoubleList,         ///< node Array of FloatImm, or null [DoubleList, monostate]
  kSectionsOrIndices,  ///< node BoxInt, or Array of BoxInt [SectionsOrIndices]
  kOther,              ///< a node that this program cannot carry; only null is accepted [monostate]
};

struct AttrField {
  std::string_view name;
  FieldKind kind;
};

/// Type keys here are without their prefix: "Conv2DAttrs" is TVM's "relay.attrs.Conv2DAttrs".
inline constexpr std::string_view kAttrsPrefix = "relay.attrs.";

/// The fields of an attribute type in TVM's order; nothing if TVM v0.19 has no such type.
/// SimulatedQuantizeAttrs is no such type: it never appears in a file.
std::optional<std::vector<AttrField>> attr_fields(std::string_view type_key);

/// "Conv2DAttrs". REQUIRES: attrs is not std::monostate.
std::string_view attrs_type_key(const ir::Attrs& attrs);

/// The values of `attrs`, parallel to attr_fields().
std::vector<ir::OpaqueValue> attr_values(const ir::Attrs& attrs);

/// The attributes with these values, parallel to attr_fields(type_key): a struct of ir/attrs*.h if
/// there is one, else OpaqueAttrs. Where `values` has no entry (a field that the file does not
/// have) or null where the struct cannot hold null, TVM's default stays.
/// REQUIRES: attr_fields(type_key) has a value, and each value is of its field's kind.
ir::Attrs make_attrs(std::string_view type_key,
                     const std::vector<std::optional<ir::OpaqueValue>>& values);

/// The row of a type that has no struct.
std::optional<std::vector<AttrField>> opaque_attr_fields(std::string_view type_key);

}  // namespace tvmq::relay
