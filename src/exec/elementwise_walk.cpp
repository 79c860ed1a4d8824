#include "exec/elementwise_walk.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tvmq::exec {
namespace {

std::vector<std::int64_t> loop_sizes(const ir::Shape& shape, MemoryLayout layout) {
  if (layout.plain()) return shape;
  const LayoutLoops loops = layout_loops(shape, layout);
  return {loops.outer, loops.blocks(), loops.inner, loops.block};
}

std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& sizes) {
  std::vector<std::int64_t> strides(sizes.size(), 1);
  for (std::size_t d = sizes.size(); d-- > 1;) strides[d - 1] = strides[d] * sizes[d];
  return strides;
}

/// Strides of an operand of `shape` that broadcasts to `result`, both plain (numpy's rule).
std::vector<std::int64_t> broadcast_strides(const ir::Shape& shape, const ir::Shape& result) {
  const auto own = contiguous_strides(shape);
  std::vector<std::int64_t> strides(result.size(), 0);
  const std::size_t offset = result.size() - shape.size();
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] != 1) strides[d + offset] = own[d];
  }
  return strides;
}

/// Whether an operand varies along the outer dimension and the channels only.
bool varies_by_channel_only(const ir::Shape& shape, std::size_t rank, std::size_t channel_axis) {
  const std::size_t offset = rank - shape.size();
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] != 1 && d + offset != 0 && d + offset != channel_axis) return false;
  }
  return true;
}

/// Strides of a plain operand in the loops of a split result; nothing unless it varies along the
/// outer dimension and the channels only.
std::optional<std::vector<std::int64_t>> channel_strides(const ir::Shape& shape,
                                                         const ir::Shape& result,
                                                         MemoryLayout layout) {
  const std::size_t offset = result.size() - shape.size();
  const auto axis = static_cast<std::size_t>(layout.channel_axis);
  if (!varies_by_channel_only(shape, result.size(), axis)) return std::nullopt;
  std::int64_t outer = 1;
  std::int64_t channels = 1;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (d + offset == 0) {
      outer = shape[d];
    } else if (d + offset == axis) {
      channels = shape[d];
    }
  }
  const std::int64_t block = layout.block;
  const bool per_channel = channels > 1;
  return std::vector<std::int64_t>{outer > 1 ? channels : 0, per_channel ? block : 0, 0,
                                   per_channel ? 1 : 0};
}

/// Appends zeros up to a multiple of the block, so that the last block can be read whole.
ir::Tensor padded(const ir::Tensor& channels, std::int64_t block) {
  const std::int64_t size = (channels.size() + block - 1) / block * block;
  if (size == channels.size()) return channels;
  ir::Tensor result = ir::Tensor::zeros(channels.dtype(), {size});
  std::memcpy(result.mutable_bytes(), channels.bytes(), channels.byte_size());
  return result;
}

class Walker {
 public:
  Walker(const LiveValues& live, const ir::TensorType& result, MemoryLayout layout,
         const std::optional<PixelBand>& band)
      : live_(live),
        whole_(result.shape),
        band_(band),
        shape_(band ? band_shape(result.shape, *band) : result.shape),
        layout_(layout) {
    walks_.sizes = loop_sizes(shape_, layout);
    full_ = contiguous_strides(walks_.sizes);
  }

  std::optional<Walks> walk_all(const ElementwiseCode& code, std::span<const ValueId> inputs) {
    walks_.input_is_full.assign(inputs.size(), false);
    for (const ElementwiseCode::Operand& operand : code.operands) {
      if (!walk(operand, inputs)) return std::nullopt;
    }
    return std::move(walks_);
  }

 private:
  bool walk(const ElementwiseCode::Operand& operand, std::span<const ValueId> inputs) {
    Walk walk{.size = ir::dtype_size(operand.dtype), .load = operand.load};
    walk.constant = operand.value == kNoValue ? operand.constant : live_[operand.value].constant;
    ir::Shape shape =
        operand.value == kNoValue ? walk.constant.shape() : live_.type(operand.value).shape;
    if (operand.axis >= 0) {  // a vector along one dimension
      const std::int64_t length = shape[0];
      shape.assign(whole_.size(), 1);
      shape[operand.axis] = length;
    }
    const bool is_input = walk.constant.empty();
    const bool is_full = shape == whole_;
    if (is_input) {
      const auto found = std::ranges::find(inputs, operand.value);
      walk.input = static_cast<std::size_t>(found - inputs.begin());
      walks_.input_is_full[*walk.input] = is_full;
    }
    if (band_) {
      if (is_full ? !is_input
                  : !varies_by_channel_only(shape, whole_.size(),
                                            static_cast<std::size_t>(band_->channel_axis))) {
        return false;
      }
      if (is_full) {
        shape = shape_;
      } else if (shape.size() == whole_.size()) {
        if (!is_input && shape[0] != 1) return false;
        shape[0] = 1;
      }
    }
    if (layout_.plain()) {
      walk.strides = broadcast_strides(shape, shape_);
    } else if (is_full) {
      walk.strides = full_;
      if (!is_input) walk.constant = to_layout(walk.constant.reshaped(shape), layout_);
    } else if (!walk_channels(walk, shape)) {
      return false;
    }
    walks_.operands.push_back(std::move(walk));
    return true;
  }

  bool walk_channels(Walk& walk, const ir::Shape& shape) const {
    const auto strides = channel_strides(shape, shape_, layout_);
    if (!strides) return false;
    walk.strides = *strides;
    const bool ragged = shape_[layout_.channel_axis] % layout_.block != 0;
    const bool per_channel = (*strides)[3] == 1;
    if (!ragged || !per_channel) return true;
    if (walk.input || (*strides)[0] != 0) return false;
    walk.constant = padded(walk.constant, layout_.block);
    return true;
  }

  const LiveValues& live_;
  const ir::Shape& whole_;
  std::optional<PixelBand> band_;
  ir::Shape shape_;  ///< of the whole or of a band
  MemoryLayout layout_;
  std::vector<std::int64_t> full_;
  Walks walks_;
};

}  // namespace

ir::Shape band_shape(const ir::Shape& shape, const PixelBand& band) {
  ir::Shape result(shape.size(), 1);
  result[band.channel_axis] = shape[band.channel_axis];
  result[band.channel_axis == 1 ? 2 : 1] = band.pixels;
  return result;
}

std::optional<Walks> walk_operands(const LiveValues& live, const ElementwiseCode& code,
                                   std::span<const ValueId> inputs, const ir::TensorType& result,
                                   MemoryLayout layout, const std::optional<PixelBand>& band) {
  return Walker(live, result, layout, band).walk_all(code, inputs);
}

}  // namespace tvmq::exec
