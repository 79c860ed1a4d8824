// What single nodes of a NodeTable mean: texts, numbers, lists, types, attributes. Everything that
// is not an expression.
//
// All functions take the node that refers to the value (`from`) for their errors, which are
// InputErrors. Older versions of TVM are accepted: a text may stand in the field or in a node, an
// integer may be an IntImm or a BoxInt. Lists have at most 1,024 elements and texts 4,096 bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ir/attrs.h"
#include "ir/type.h"
#include "relay/node_table.h"

namespace tvmq::relay {

/// The node that field `name` of `from` refers to; kNullNode if the field is "0" or missing.
NodeIndex optional_reference(const NodeTable& table, NodeIndex from, std::string_view name);
/// The same, but an InputError if it is missing or null.
NodeIndex reference(const NodeTable& table, NodeIndex from, std::string_view name);
/// The same, and an InputError if the node's type is not `type_key`.
NodeIndex reference(const NodeTable& table, NodeIndex from, std::string_view name,
                    std::string_view type_key);

/// The number in field `name` (not behind it).
std::int64_t int_field(const NodeTable& table, NodeIndex from, std::string_view name);
/// The text in field `name`, or in the runtime.String that it refers to.
std::string_view text_field(const NodeTable& table, NodeIndex from, std::string_view name);

/// The value of an IntImm or BoxInt.
std::int64_t int_value(const NodeTable& table, NodeIndex from, NodeIndex node);

/// relay.TensorType and TupleType of those; std::monostate for null and IncompleteType. tir.Any and
/// named sizes become ir::kDynamicDim.
ir::Type read_type(const NodeTable& table, NodeIndex from, NodeIndex node);

/// The name in a Span, or the first one that is not empty in a SequentialSpan; "" for null.
std::string_view source_name(const NodeTable& table, NodeIndex span);

/// The attributes at `node`, which is not null: by relay/schema.h, fields that the file does not
/// have at TVM's defaults.
ir::Attrs read_attrs(const NodeTable& table, NodeIndex node);

}  // namespace tvmq::relay
