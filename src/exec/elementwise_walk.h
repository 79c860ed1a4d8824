// How the operands of elementwise steps are walked. Internal to exec.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "exec/elementwise.h"
#include "exec/elementwise_compile.h"
#include "exec/memory_layout.h"

namespace tvmq::exec {

/// One operand: element strides of the loops of the result.
struct Walk {
  std::optional<std::size_t> input{};  ///< of the step; none: `constant`
  ir::Tensor constant{};
  std::vector<std::int64_t> strides{};
  std::size_t size = 4;  ///< bytes per element in memory
  std::optional<Code> load{};
};

/// The loops of a result in memory order, innermost last, and its operands in them.
struct Walks {
  std::vector<std::int64_t> sizes{};
  std::vector<Walk> operands{};
  std::vector<bool> input_is_full{};  ///< by input of the step: has the shape of the result
};

/// The shape of some pixels of one image. REQUIRES: rank 3 or more.
ir::Shape band_shape(const ir::Shape& shape, const PixelBand& band);

/// Walks for a result of type `result` in `layout`. With `band` they are those of a band's
/// pixels, for which it must not matter where in the image they lie.
/// Nothing if an operand cannot be read like that.
std::optional<Walks> walk_operands(const LiveValues& live, const ElementwiseCode& code,
                                   std::span<const ValueId> inputs, const ir::TensorType& result,
                                   MemoryLayout layout, const std::optional<PixelBand>& band = {});

}  // namespace tvmq::exec
