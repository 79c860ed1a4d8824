#include "driver/check_float_outputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "exec/program.h"
#include "quant/calibrate_passes.h"

namespace tvmq::driver {
namespace {

constexpr std::int64_t kMostBatches = 8;

bool is_finite(const ir::Tensor& tensor) {
  return std::ranges::all_of(tensor.data<float>(), [](float x) { return std::isfinite(x); });
}

}  // namespace

FloatOutputCheck::FloatOutputCheck(const ir::Graph& bound) {
  for (const ir::NodeId output : bound.outputs()) {
    const ir::Type& type = bound[output].type;
    if (const auto* tuple = std::get_if<ir::TupleType>(&type)) {
      for (const ir::TensorType& field : tuple->fields) {
        is_float_.push_back(field.dtype == ir::DType::kFloat32);
      }
    } else {
      const auto* tensor = std::get_if<ir::TensorType>(&type);
      is_float_.push_back(tensor != nullptr && tensor->dtype == ir::DType::kFloat32);
    }
  }
}

void FloatOutputCheck::look(std::int64_t batch, std::span<const ir::Tensor> inputs,
                            std::span<const ir::Tensor> outputs) {
  check(outputs.size() == is_float_.size(), "the outputs of this network");
  std::optional<NotFinite> not_finite;
  for (std::size_t i = 0; i < outputs.size() && !not_finite; ++i) {
    if (is_float_[i] && !is_finite(outputs[i])) not_finite = {.batch = batch, .output = i};
  }
  const std::lock_guard lock(mutex_);
  if (not_finite && (!not_finite_ || batch < not_finite_->batch)) not_finite_ = not_finite;
  first_batch_ = batches_ == 0 ? batch : std::min(first_batch_, batch);
  if (batches_++ == 0) {
    inputs_.assign(inputs.begin(), inputs.end());
    outputs_.assign(outputs.begin(), outputs.end());
    return;
  }
  // Any one will do to compare with: all are the same, or some differ from it.
  inputs_differ_ = inputs_differ_ || !std::ranges::equal(inputs, inputs_, &ir::Tensor::same_bytes);
  for (std::size_t i = 0; i < outputs.size() && !outputs_differ_; ++i) {
    outputs_differ_ = is_float_[i] && !outputs[i].same_bytes(outputs_[i]);
  }
}

void FloatOutputCheck::require_sound(const quant::BatchSource& source) const {
  const std::lock_guard lock(mutex_);
  if (not_finite_) {
    throw InputError(fmt::format(
        "output {}: NaN or infinity with {} before anything is quantized; check the model's "
        "weights and the preprocessing (Mean, Std, Normalization)",
        not_finite_->output, source.describe(not_finite_->batch)));
  }
  bool has_floats = false;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    has_floats = has_floats || (is_float_[i] && outputs_[i].size() > 0);
  }
  if (has_floats && inputs_differ_ && !outputs_differ_) {
    throw InputError(fmt::format(
        "the float network gives the same outputs for each of {} different batches, the first is "
        "{}; check the model's weights and the preprocessing (Mean, Std, Normalization)",
        batches_, source.describe(first_batch_)));
  }
}

std::int64_t batches_to_look_at(std::int64_t batches) { return std::min(batches, kMostBatches); }

void check_float_outputs(const ir::Graph& bound, const quant::BatchSource& source,
                         const RunOptions& run, Log& log) {
  quant::BatchSource few = source;
  few.batches = batches_to_look_at(source.batches);
  FloatOutputCheck outputs(bound);
  const auto program = std::make_shared<const exec::Program>(bound);
  const auto make_worker = [&]() -> quant::WorkOnBatch {
    return [&, session = std::make_shared<exec::Session>(program)](
               std::span<const ir::Tensor> inputs, std::int64_t batch) {
      outputs.look(batch, inputs, session->run(inputs));
      return true;
    };
  };
  quant::run_batches(few, {.title = "float outputs", .threads = run.threads}, make_worker, log);
  outputs.require_sound(source);
}

}  // namespace tvmq::driver
