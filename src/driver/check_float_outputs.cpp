#include "driver/check_float_outputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "base/error.h"
#include "exec/program.h"
#include "quant/calibrate_passes.h"

namespace tvmq::driver {
namespace {

constexpr std::int64_t kMostBatches = 8;

struct BatchRun {
  std::vector<ir::Tensor> inputs;
  std::vector<ir::Tensor> outputs;
};

bool same(const std::vector<ir::Tensor>& a, const std::vector<ir::Tensor>& b, bool floats_only) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (floats_only && a[i].dtype() != ir::DType::kFloat32) continue;
    if (!a[i].same_bytes(b[i])) return false;
  }
  return true;
}

/// The first output with an element that is no number.
std::optional<std::size_t> not_finite(const std::vector<ir::Tensor>& outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].dtype() != ir::DType::kFloat32) continue;
    if (!std::ranges::all_of(outputs[i].data<float>(), [](float x) { return std::isfinite(x); })) {
      return i;
    }
  }
  return std::nullopt;
}

}  // namespace

void check_float_outputs(const ir::Graph& bound, const quant::BatchSource& source,
                         const RunOptions& run, Log& log) {
  quant::BatchSource few = source;
  few.batches = std::min(source.batches, kMostBatches);
  std::vector<BatchRun> runs(static_cast<std::size_t>(few.batches));
  const auto program = std::make_shared<const exec::Program>(bound);
  const auto make_worker = [&]() -> quant::WorkOnBatch {
    return [&, session = std::make_shared<exec::Session>(program)](
               std::span<const ir::Tensor> inputs, std::int64_t batch) {
      runs[static_cast<std::size_t>(batch)] = {
          .inputs = std::vector<ir::Tensor>(inputs.begin(), inputs.end()),
          .outputs = session->run(inputs)};
      return true;
    };
  };
  quant::run_batches(few, {.title = "float outputs", .threads = run.threads}, make_worker, log);

  const BatchRun* first = nullptr;
  bool inputs_differ = false;
  bool outputs_differ = false;
  for (std::size_t batch = 0; batch < runs.size(); ++batch) {
    const BatchRun& each = runs[batch];
    if (each.outputs.empty()) continue;
    if (const auto output = not_finite(each.outputs)) {
      throw InputError(fmt::format(
          "output {}: NaN or infinity with {} before anything is quantized; check the model's "
          "weights and the preprocessing (Mean, Std, Normalization)",
          *output, source.describe(static_cast<std::int64_t>(batch))));
    }
    if (first == nullptr) first = &each;
    inputs_differ = inputs_differ || !same(first->inputs, each.inputs, false);
    outputs_differ = outputs_differ || !same(first->outputs, each.outputs, true);
  }
  const bool has_floats =
      first != nullptr && std::ranges::any_of(first->outputs, [](const ir::Tensor& output) {
        return output.dtype() == ir::DType::kFloat32 && output.size() > 0;
      });
  if (has_floats && inputs_differ && !outputs_differ) {
    throw InputError(fmt::format(
        "the float network gives the same outputs for each of {} different batches, the first is "
        "{}; check the model's weights and the preprocessing (Mean, Std, Normalization)",
        few.batches, source.describe(0)));
  }
}

}  // namespace tvmq::driver
