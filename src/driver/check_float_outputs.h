// Is the network that is to be quantized worth it?
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/log.h"
#include "driver/quantize_model.h"
#include "ir/graph.h"
#include "quant/calibrate.h"

namespace tvmq::driver {

/// Looks at the outputs of the float network, wherever it runs: a network whose outputs are no
/// numbers, or do not depend on its inputs, is not worth it.
class FloatOutputCheck {
 public:
  /// REQUIRES: the graph is typed.
  explicit FloatOutputCheck(const ir::Graph& bound);

  /// The outputs (tuples taken apart, integers perhaps as floats) for one batch of inputs. From any
  /// thread.
  void look(std::int64_t batch, std::span<const ir::Tensor> inputs,
            std::span<const ir::Tensor> outputs);

  [[nodiscard]] std::int64_t batches() const { return batches_; }

  /// Throws InputError, naming the output and the samples, of which `source` is what was looked at:
  /// NaN or infinity in a float output; float outputs that are bit for bit the same for samples
  /// that differ.
  void require_sound(const quant::BatchSource& source) const;

 private:
  struct NotFinite {
    std::int64_t batch = 0;
    std::size_t output = 0;
  };

  std::vector<bool> is_float_;  ///< per output
  mutable std::mutex mutex_;    ///< guards what follows
  std::int64_t batches_ = 0;
  std::int64_t first_batch_ = 0;         ///< the smallest number
  std::optional<NotFinite> not_finite_;  ///< of the smallest batch
  std::vector<ir::Tensor> inputs_;       ///< of the batch that the others are compared with
  std::vector<ir::Tensor> outputs_;
  bool inputs_differ_ = false;
  bool outputs_differ_ = false;
};

/// The same for a network that has not run yet, or on fewer batches: runs it on the first eight of
/// `source`. Batches that cannot be read are left out. Throws as require_sound().
void check_float_outputs(const ir::Graph& bound, const quant::BatchSource& source,
                         const RunOptions& run, Log& log);

/// How many batches are enough, of a source of so many.
std::int64_t batches_to_look_at(std::int64_t batches);

}  // namespace tvmq::driver
