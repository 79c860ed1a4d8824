#include "ir/type_rules.h"

#include <fmt/format.h>

namespace tvmq::ir {

const TensorType& RuleCall::tensor(std::size_t operand) const {
  const Type& type = graph_[node().inputs.at(operand)].type;
  if (const auto* tensor = std::get_if<TensorType>(&type)) return *tensor;
  fail(fmt::format("operand {} is {}, expected a tensor", operand, to_string(type)));
}

const TupleType& RuleCall::tuple(std::size_t operand) const {
  const Type& type = graph_[node().inputs.at(operand)].type;
  if (const auto* tuple = std::get_if<TupleType>(&type)) return *tuple;
  fail(fmt::format("operand {} is {}, expected a tuple of tensors", operand, to_string(type)));
}

void RuleCall::fail(std::string_view found_and_expected) const {
  throw InputError(fmt::format("{}: {}", describe(graph_, id_), found_and_expected));
}

std::int64_t RuleCall::bounded(std::int64_t value, std::int64_t low, std::int64_t high,
                               std::string_view what) const {
  if (value < low || value > high) {
    fail(fmt::format("{} is {}, expected {} to {}", what, value, low, high));
  }
  return value;
}

std::int64_t RuleCall::dim(Wide value, std::string_view what) const {
  if (value < 0) fail(fmt::format("{} would be negative", what));
  if (value > kMaxExtent) {
    fail(fmt::format("{} would be larger than {} elements", what, kMaxExtent));
  }
  return static_cast<std::int64_t>(value);
}

std::size_t RuleCall::axis(std::int64_t axis, std::size_t rank) const {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank) {
    fail(fmt::format("axis {} of a tensor with {} dimensions, expected {} to {}", axis, rank,
                     -signed_rank, signed_rank - 1));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

std::vector<std::size_t> RuleCall::distinct_axes(const IntList& axes, std::size_t rank,
                                                 std::string_view twice) const {
  std::vector<std::size_t> result;
  std::vector<bool> seen(rank, false);
  for (const std::int64_t each : axes) {
    const std::size_t index = axis(each, rank);
    if (seen[index]) fail(fmt::format("axis {} {}", index, twice));
    seen[index] = true;
    result.push_back(index);
  }
  return result;
}

void RuleCall::require_size(const IntList& list, std::size_t size, std::string_view what) const {
  if (list.size() != size) {
    fail(fmt::format("{} has {} values, expected {}", what, list.size(), size));
  }
}

void RuleCall::require_scalar(std::size_t operand) const {
  if (tensor(operand).shape.empty()) return;
  fail(fmt::format("operand {} is {}, expected a scalar", operand, to_string(tensor(operand))));
}

void RuleCall::require_type(std::size_t operand, const TensorType& expected,
                            std::string_view what) const {
  const TensorType& found = tensor(operand);
  bool same = found.dtype == expected.dtype && found.shape.size() == expected.shape.size();
  for (std::size_t i = 0; same && i < found.shape.size(); ++i) {
    same = fits(found.shape[i], expected.shape[i]);
  }
  if (!same) {
    fail(fmt::format("{} is {}, expected {}", what, to_string(found), to_string(expected)));
  }
}

Layout RuleCall::layout(std::string_view text) const {
  if (auto layout = Layout::parse(text)) return *std::move(layout);
  fail(fmt::format("'{}' is not a layout, expected letters such as NCHW or NCHW16c", text));
}

Shape RuleCall::convert(const Shape& shape, const Layout& from, const Layout& to,
                        std::string_view what) const {
  if (auto converted = convert_shape(shape, from, to)) return *std::move(converted);
  const auto text = [](const Layout& layout) {
    std::string result;
    for (const Layout::Axis each : layout.axes()) {
      if (each.block == 0) {
        result += each.dimension;
      } else {
        result += fmt::format("{}{}", each.block, static_cast<char>(each.dimension - 'A' + 'a'));
      }
    }
    return result;
  };
  fail(fmt::format("{} of shape {} cannot be brought from layout {} to {}", what, to_string(shape),
                   text(from), text(to)));
}

}  // namespace tvmq::ir
