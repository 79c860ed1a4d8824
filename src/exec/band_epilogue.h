// What follows a convolution, on some pixels of its result at a time. Internal to exec.
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

/// The values that a convolution with an epilogue reads: the data, then the epilogue's operands
/// other than the sums.
std::vector<ValueId> banded_operands(const LiveValues& live, const ContractionStep& step);

class BandEpilogue {
 public:
  /// `channel_axis`: where the channels of the result are, 1 or the last dimension; they lie
  /// innermost. `step` has an epilogue; `counts`: the numbers of pixels that bands have. Nothing if
  /// an operand varies from pixel to pixel without being of the result's shape.
  static std::optional<BandEpilogue> make(const ir::Graph& graph, const LiveValues& live,
                                          const ContractionStep& step, std::int64_t channel_axis,
                                          std::span<const std::int64_t> counts);

  /// Computes pixels `first` and following of the result, as many as counts[which], from their
  /// sums. `inputs` and `outputs` are those of a step whose inputs are banded_operands().
  void run(std::size_t which, std::int64_t image, std::int64_t first, const std::int32_t* sums,
           std::span<const std::byte* const> inputs, std::byte* output, std::byte* scratch) const;

  /// `data` is how the convolution wants its data; the layouts of everything else follow.
  void describe_operands(SelectedKernel& selected, MemoryLayout data) const;
  [[nodiscard]] std::size_t scratch_bytes() const;
  [[nodiscard]] std::size_t constant_bytes() const;
  [[nodiscard]] std::string description() const { return kernels_[0]->description(); }

 private:
  /// One number, one per channel (and image), or one per element.
  struct Operand {
    bool is_sums = false;
    std::size_t input = 0;  ///< of the step, if it is not the sums
    std::int64_t image_bytes = 0;
    std::int64_t pixel_bytes = 0;
    MemoryLayout layout{};
  };

  std::vector<std::unique_ptr<const FastKernel>> kernels_;  ///< by count
  std::vector<Operand> operands_;
  MemoryLayout layout_;  ///< of the result
  std::int64_t image_bytes_ = 0;
  std::int64_t pixel_bytes_ = 0;
};

}  // namespace tvmq::exec
