#include "quant/patch_moments.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>

#include "base/error.h"
#include "exec/layer_patch.h"
#include "quant/calibrate_passes.h"

namespace tvmq::quant {
namespace {

using ir::NodeId;

/// Blocks have at most so many elements: whole channels where one fits.
constexpr std::size_t kBlock = 256;
/// Patches taken of a batch: neighbours resemble each other, more of them tell little.
constexpr std::int64_t kPatchesPerBatch = 64;

/// Whether the layer's weight rows are its outputs' and its patches are those of exec::LayerPatch:
/// data in NCHW, weights in OIHW, no groups but depthwise ones.
bool has_patches(const ir::Graph& graph, const ir::Node& layer) {
  if (layer.op == ir::Op::kDense) return true;
  if (layer.op != ir::Op::kConv2D) return false;
  const auto& attrs = layer.attrs_as<ir::Conv2DAttrs>();
  const auto& weight = graph[layer.inputs[1]].value.shape();
  const bool depthwise = attrs.groups == weight[0] && weight[1] == 1 &&
                         graph[layer.inputs[0]].tensor_type().shape[1] == weight[0];
  return attrs.data_layout == "NCHW" && attrs.kernel_layout == "OIHW" &&
         (attrs.groups == 1 || depthwise);
}

/// How the elements of a layer's patches are cut into blocks.
struct BlockLayout {
  bool depthwise = false;
  std::size_t rows = 1;      ///< of the weight, if depthwise: each has blocks of its own
  std::size_t elements = 0;  ///< of a row
  std::size_t step = 0;      ///< elements of a block

  [[nodiscard]] std::uint64_t bytes() const {
    const std::uint64_t per_block = sizeof(PatchBlock) + step * sizeof(std::int64_t) +
                                    step * (step + 1) / 2 * sizeof(std::int32_t);
    return rows * ((elements + step - 1) / step) * per_block;
  }
};

BlockLayout layout_of(const ir::Graph& graph, NodeId layer) {
  const auto& weight = graph[graph[layer].inputs[1]].value.shape();
  const auto* attrs = std::get_if<ir::Conv2DAttrs>(&*graph[layer].attrs);
  const auto kernel = static_cast<std::size_t>(exec::layer_window(graph, layer).kernel_size());
  BlockLayout layout{.depthwise = attrs != nullptr && attrs->groups > 1};
  if (layout.depthwise) layout.rows = static_cast<std::size_t>(weight[0]);
  layout.elements = static_cast<std::size_t>(weight[1]) * kernel;
  layout.step = kernel == 0 || kernel > kBlock ? kBlock : kBlock / kernel * kernel;
  layout.step = std::clamp(layout.elements, std::size_t{1}, layout.step);
  while (layout.step > 1 && layout.bytes() > kMomentBytes) layout.step /= 2;
  return layout;
}

std::int16_t quantize(float value, const AffineParameters& stored) {
  const float level =
      std::floor(value / stored.scale + static_cast<float>(stored.zero_point) + 0.5F);
  return static_cast<std::int16_t>(std::clamp(level, 0.0F, static_cast<float>(stored.highest)) -
                                   kPatchCenter);
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) std::int32_t dot(
    const std::int16_t* a, const std::int16_t* b, std::size_t count) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += static_cast<std::int32_t>(a[i]) * b[i];
  return sum;
}

/// Collects one layer.
class LayerPatches {
 public:
  LayerPatches(const ir::Graph& graph, NodeId layer, const AffineParameters& stored)
      : window_(exec::layer_window(graph, layer)), stored_(stored) {
    const BlockLayout layout = layout_of(graph, layer);
    moments_.shift = kPatchCenter - stored.zero_point;
    moments_.depthwise = layout.depthwise;
    for (std::size_t row = 0; row < layout.rows; ++row) {
      for (std::size_t first = 0; first < layout.elements; first += layout.step) {
        const std::size_t size = std::min(layout.step, layout.elements - first);
        moments_.blocks.push_back(
            {.first = first,
             .size = size,
             .row = row,
             .sums = std::vector<std::int64_t>(size, 0),
             .products = std::vector<std::int32_t>(size * (size + 1) / 2, 0)});
      }
    }
  }

  void observe(const exec::TapView& view, std::int64_t batch) {
    const std::int64_t positions = window_.positions();
    const std::int64_t count = std::min(positions, kPatchesPerBatch);
    if (count == 0) return;
    std::vector<std::int16_t> patches;
    std::vector<std::int32_t> products;
    for (PatchBlock& block : moments_.blocks) {
      gather(view, block, batch, count, patches);
      const auto patch = static_cast<std::size_t>(count);
      products.clear();
      for (std::size_t i = 0; i < block.size; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
          products.push_back(dot(&patches[i * patch], &patches[j * patch], patch));
        }
      }
      const std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < products.size(); ++i) block.products[i] += products[i];
      for (std::size_t i = 0; i < block.size; ++i) {
        for (std::size_t p = 0; p < patch; ++p) block.sums[i] += patches[i * patch + p];
      }
    }
    const std::lock_guard lock(mutex_);
    moments_.samples += count;
  }

  PatchMoments take() { return std::move(moments_); }

 private:
  /// The elements of a block in `count` patches spread evenly over the batch, element by element;
  /// other places of the image in every batch.
  void gather(const exec::TapView& view, const PatchBlock& block, std::int64_t batch,
              std::int64_t count, std::vector<std::int16_t>& patches) const {
    const std::int64_t positions = window_.positions();
    const std::int64_t shift = batch * 7919 % positions;
    patches.resize(block.size * static_cast<std::size_t>(count));
    for (std::int64_t p = 0; p < count; ++p) {
      const exec::LayerPatch patch(view, window_, (p * positions / count + shift) % positions);
      for (std::size_t i = 0; i < block.size; ++i) {
        const auto element = static_cast<std::int64_t>(block.first + i);
        const std::int64_t kernel_x = element % window_.image.kernel_width;
        const std::int64_t kernel_y =
            element / window_.image.kernel_width % window_.image.kernel_height;
        const std::int64_t channel = moments_.depthwise ? static_cast<std::int64_t>(block.row)
                                                        : element / window_.kernel_size();
        patches[i * static_cast<std::size_t>(count) + static_cast<std::size_t>(p)] =
            quantize(patch.at(channel, kernel_y, kernel_x), stored_);
      }
    }
  }

  exec::LayerWindow window_;
  AffineParameters stored_;
  std::mutex mutex_;  ///< guards what follows
  PatchMoments moments_;
};

}  // namespace

std::vector<std::vector<NodeId>> patch_groups(const IntegerPlan& plan) {
  std::vector<std::vector<NodeId>> groups;
  std::uint64_t bytes = 0;
  for (NodeId id = 0; id < plan.graph.size(); ++id) {
    if (plan.roles[id] != Role::kConvolution && plan.roles[id] != Role::kDense) continue;
    if (!has_patches(plan.graph, plan.graph[id])) continue;
    const std::uint64_t more = layout_of(plan.graph, id).bytes();
    if (groups.empty() || bytes + more > kMomentBytes) {
      groups.emplace_back();
      bytes = 0;
    }
    groups.back().push_back(id);
    bytes += more;
  }
  return groups;
}

std::vector<PatchMoments> observe_patches(const IntegerPlan& plan, std::span<const NodeId> layers,
                                          std::span<const AffineParameters> stored,
                                          const BatchSource& source, const PatchOptions& options,
                                          Log& log) {
  const ir::Graph& graph = plan.graph;
  std::vector<std::unique_ptr<LayerPatches>> patches;
  std::map<NodeId, std::vector<LayerPatches*>> readers;  // of each input
  for (const NodeId layer : layers) {
    const NodeId input = graph[layer].inputs[0];
    patches.push_back(std::make_unique<LayerPatches>(graph, layer, stored[input]));
    readers[input].push_back(patches.back().get());
  }
  exec::ProgramOptions program_options;
  for (const auto& [input, _] : readers) program_options.taps.push_back(input);
  program_options.targets = {program_options.taps.back()};
  BatchSource few = source;
  few.batches = std::min(source.batches, options.most_batches);
  run_pass(
      std::make_shared<const exec::Program>(graph, program_options), few,
      {.title = "weights", .threads = options.threads},
      [&](const exec::TapView& view, std::int64_t batch) {
        for (LayerPatches* reader : readers.at(view.node)) reader->observe(view, batch);
        return true;
      },
      log);
  std::vector<PatchMoments> result;
  result.reserve(patches.size());
  for (const auto& each : patches) result.push_back(each->take());
  return result;
}

}  // namespace tvmq::quant
