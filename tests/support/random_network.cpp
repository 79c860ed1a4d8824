#include "support/random_network.h"

#include <vector>

#include "support/random_graph.h"
#include "support/random_numbers.h"

namespace tvmq::support {
namespace {

quant::TvmQuantizeOptions random_options(RandomNumbers& random, OptionRange range) {
  using ir::DType;
  quant::TvmQuantizeOptions options;
  if (random.once_in(6)) options.dtype_input = random.one_of({DType::kInt16, DType::kInt32});
  if (random.once_in(6)) options.dtype_weight = random.one_of({DType::kInt16, DType::kInt32});
  if (random.once_in(8)) options.dtype_activation = DType::kInt16;
  if (random.once_in(6)) options.nbit_input = random.pick(3, 7);
  if (random.once_in(6)) options.nbit_weight = random.pick(3, 7);
  if (random.once_in(2)) options.weight_scale = quant::WeightScale::kPower2;
  options.global_scale = random.one_of({8.0, 8.0, 4.0, 1.0, 8.3, 0.7});
  switch (random.pick(0, 5)) {
    case 0:
    case 1:
      options.skip_conv_layers = std::vector<int>{0};
      break;
    case 2:
      options.skip_conv_layers = std::vector<int>{1, 3};
      break;
    case 3:
      options.skip_conv_layers = std::vector<int>{0, 1, 2};
      break;
    default:
      options.skip_conv_layers = std::vector<int>{};
      break;
  }
  options.skip_dense_layer = random.once_in(2);
  switch (random.pick(0, 11)) {
    case 0:
      options.partition_conversions = quant::PartitionConversions::kFullyIntegral;
      break;
    case 1:
    case 2:
      options.partition_conversions = quant::PartitionConversions::kEnabled;
      break;
    default:
      break;
  }
  if (range == OptionRange::kAll) {
    if (random.once_in(4)) options.rounding = quant::Rounding::kToNearest;
    options.round_for_shift = !random.once_in(6);
    if (random.once_in(6)) options.skip_conv_layers.reset();
  }
  return options;
}

}  // namespace

RandomCase random_case(std::uint32_t seed, OptionRange range) {
  RandomNumbers random(seed);
  RandomCase result;
  result.graph = random_graph(random);
  result.level = random.once_in(2) ? passes::TvmOptLevel::k2 : passes::TvmOptLevel::k3;
  result.options = random_options(random, range);
  return result;
}

std::vector<ir::Tensor> random_inputs(const ir::Graph& graph, std::uint32_t seed) {
  RandomNumbers random(seed);
  std::vector<ir::Tensor> inputs;
  for (const ir::NodeId id : graph.inputs()) {
    inputs.push_back(random.tensor(graph[id].tensor_type().shape, -2, 2));
  }
  return inputs;
}

}  // namespace tvmq::support
