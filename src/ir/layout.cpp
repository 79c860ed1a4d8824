#include "ir/layout.h"

#include <algorithm>
#include <map>

namespace tvmq::ir {
namespace {

// Larger blocks are not layouts but attacks: the product of a few of them must fit in int64.
constexpr std::int64_t kMaxBlock = 1 << 15;
constexpr std::size_t kMaxAxes = 16;

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<Layout> Layout::parse(std::string_view text) {
  Layout layout;
  std::int64_t block = 0;
  for (const char c : text) {
    if (is_digit(c)) {
      block = block * 10 + (c - '0');
      if (block > kMaxBlock) return std::nullopt;
    } else if (is_upper(c)) {
      if (block != 0 || layout.index_of(c)) return std::nullopt;
      layout.axes_.push_back({c, 0});
    } else if (is_lower(c)) {
      if (block == 0) return std::nullopt;
      layout.axes_.push_back({static_cast<char>(c - 'a' + 'A'), block});
      block = 0;
    } else {
      return std::nullopt;
    }
    if (layout.rank() > kMaxAxes) return std::nullopt;
  }
  if (layout.axes_.empty() || block != 0) return std::nullopt;
  const bool complete =
      std::all_of(layout.axes_.begin(), layout.axes_.end(), [&](const Axis& axis) {
        return layout.index_of(axis.dimension).has_value() &&
               layout.block_of(axis.dimension) <= kMaxBlock;
      });
  if (!complete) return std::nullopt;
  return layout;
}

std::optional<std::size_t> Layout::index_of(char dimension) const {
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    if (axes_[i].dimension == dimension && axes_[i].block == 0) return i;
  }
  return std::nullopt;
}

std::int64_t Layout::block_of(char dimension) const {
  std::int64_t product = 1;
  for (const Axis& axis : axes_) {
    // Saturates: parse() refuses what is larger than kMaxBlock.
    if (axis.dimension == dimension && axis.block != 0 && product <= kMaxBlock) {
      product *= axis.block;
    }
  }
  return product;
}

std::optional<Shape> convert_shape(const Shape& shape, const Layout& from, const Layout& to) {
  if (shape.size() != from.rank()) return std::nullopt;
  std::map<char, std::int64_t> extents;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const Layout::Axis axis = from.axes()[i];
    if (axis.block != 0) {
      if (shape[i] != axis.block && shape[i] != kDynamicDim) return std::nullopt;
      continue;
    }
    std::int64_t extent = shape[i];
    if (extent != kDynamicDim &&
        __builtin_mul_overflow(extent, from.block_of(axis.dimension), &extent)) {
      return std::nullopt;
    }
    extents[axis.dimension] = extent;
  }
  Shape result;
  std::size_t used = 0;
  for (const Layout::Axis axis : to.axes()) {
    if (axis.block != 0) {
      result.push_back(axis.block);
      continue;
    }
    const auto extent = extents.find(axis.dimension);
    if (extent == extents.end()) return std::nullopt;
    ++used;
    const std::int64_t block = to.block_of(axis.dimension);
    const bool open = extent->second == kDynamicDim;
    result.push_back(open ? kDynamicDim
                          : extent->second / block + (extent->second % block != 0 ? 1 : 0));
  }
  if (used != extents.size()) return std::nullopt;
  return result;
}

}  // namespace tvmq::ir
