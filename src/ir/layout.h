// Axis orders such as NCHW, HWIO or NCHW16c.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ir/tensor.h"

namespace tvmq::ir {

/// An upper case letter is a dimension. A lower case letter with a number before it is a block
/// split off that dimension: in NCHW16c the dimension C counts blocks of 16 channels, which lie
/// innermost.
class Layout {
 public:
  struct Axis {
    char dimension = 0;      ///< upper case
    std::int64_t block = 0;  ///< the block's size; 0 for the dimension itself
  };

  /// Nothing if `text` is not a layout: another character, a dimension twice, a block without a
  /// size or without its dimension.
  static std::optional<Layout> parse(std::string_view text);

  [[nodiscard]] const std::vector<Axis>& axes() const { return axes_; }
  [[nodiscard]] std::size_t rank() const { return axes_.size(); }
  /// Where the dimension itself stands; nothing if the layout lacks it.
  [[nodiscard]] std::optional<std::size_t> index_of(char dimension) const;
  /// Product of the dimension's blocks; 1 if it is not split.
  [[nodiscard]] std::int64_t block_of(char dimension) const;

 private:
  std::vector<Axis> axes_;
};

/// The shape that a tensor of `shape` in layout `from` has in layout `to`; a dimension that is no
/// multiple of its block is rounded up, an open one stays open. Nothing if the layouts have
/// different dimensions, or `shape` another rank, other block sizes or sizes that overflow.
std::optional<Shape> convert_shape(const Shape& shape, const Layout& from, const Layout& to);

}  // namespace tvmq::ir
