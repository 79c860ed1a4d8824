// Elementwise steps in front of and behind a convolution, on some pixels at a time. Internal to
// exec.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "exec/elementwise.h"
#include "exec/fast_kernel.h"
#include "exec/program_fuse.h"

namespace tvmq::exec {

/// The values that a convolution with an epilogue reads: the data or what its prologue reads, then
/// the epilogue's operands other than the sums.
std::vector<ValueId> banded_operands(const LiveValues& live, const ContractionStep& step);

class BandElementwise {
 public:
  /// `channel_axis`: where the channels of the result are, 1 or the last dimension; they lie
  /// innermost. `sums`: the operand that run() is given; kNoValue: none. `counts`: the numbers of
  /// pixels that bands have. Nothing if an operand varies from pixel to pixel without being of the
  /// result's shape.
  static std::optional<BandElementwise> make(const ir::Graph& graph, const LiveValues& live,
                                             const ElementwiseStep& step, ValueId sums,
                                             std::int64_t channel_axis,
                                             std::span<const std::int64_t> counts);

  /// Computes pixels `first` and following of an image's result, as many as counts[which], to
  /// `result` on. `inputs`: the operands other than the sums, whole.
  void run(std::size_t which, std::int64_t image, std::int64_t first, const std::int32_t* sums,
           std::span<const std::byte* const> inputs, std::byte* result, std::byte* scratch) const;

  /// Appends how the operands other than the sums are to lie.
  void describe_inputs(SelectedKernel& selected) const;
  [[nodiscard]] std::size_t count_inputs() const;
  [[nodiscard]] MemoryLayout layout() const { return layout_; }            ///< of the result
  [[nodiscard]] std::int64_t pixel_bytes() const { return pixel_bytes_; }  ///< of the result
  [[nodiscard]] std::size_t scratch_bytes() const;
  [[nodiscard]] std::size_t constant_bytes() const;
  [[nodiscard]] std::string description() const { return kernels_[0]->description(); }

 private:
  /// One number, one per channel (and image), or one per element.
  struct Operand {
    bool is_sums = false;
    std::int64_t image_bytes = 0;
    std::int64_t pixel_bytes = 0;
    MemoryLayout layout{};
  };

  std::vector<std::unique_ptr<const FastKernel>> kernels_;  ///< by count
  std::vector<Operand> operands_;
  MemoryLayout layout_;
  std::int64_t pixel_bytes_ = 0;
};

}  // namespace tvmq::exec
