// Writes random networks as TVM's files and one configuration that quantizes them all:
//
//   dump_random_networks FOLDER FIRST_SEED COUNT
//
//   FOLDER/r17.json, FOLDER/r17.params   of seed 17, ...
//   FOLDER/config.xml                    Scheme tvm, CalibMode global_scale; results to
//                                        FOLDER/quantized when run with FOLDER as working directory
//
// For scripts/compare_with_tvm.py.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/error.h"
#include "relay/module_writer.h"
#include "relay/params.h"
#include "support/random_network.h"

namespace tvmq {
namespace {

namespace fs = std::filesystem;

std::uint32_t number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw InputError(fmt::format("{} is no number", text));
  }
  return value;
}

/// The network as a frontend leaves it: named constants are parameters.
ir::Graph with_parameters(const ir::Graph& graph, relay::NamedTensors& parameters) {
  ir::Graph result;
  std::vector<ir::NodeId> moved(graph.size());
  for (ir::NodeId id = 0; id < graph.size(); ++id) {
    const ir::Node& node = graph[id];
    if (node.is_constant() && !node.name.empty()) {
      parameters[node.name] = node.value;
      moved[id] = result.add_input(node.name, node.type);
      continue;
    }
    std::vector<ir::NodeId> inputs;
    for (const ir::NodeId input : node.inputs) inputs.push_back(moved[input]);
    moved[id] = result.add_copy(node, std::move(inputs));
  }
  result.set_output(moved[graph.output()]);
  return result;
}

std::string_view name(quant::PartitionConversions partition) {
  switch (partition) {
    case quant::PartitionConversions::kEnabled:
      return "enabled";
    case quant::PartitionConversions::kFullyIntegral:
      return "fully_integral";
    default:
      return "disabled";
  }
}

std::string config(const std::string& network, const support::RandomCase& random) {
  const quant::TvmQuantizeOptions& options = random.options;
  std::string skipped;
  for (const int layer : *options.skip_conv_layers) {
    skipped += (skipped.empty() ? "" : ", ") + std::to_string(layer);
  }
  std::string text = fmt::format(
      "  <Config>\n"
      "    <Model><Name>{0}</Name><ModelJson>{0}.json</ModelJson>"
      "<WeightsParams>{0}.params</WeightsParams></Model>\n"
      "    <Dataset/>\n"
      "    <QuantizationParameters>\n"
      "      <Scheme>tvm</Scheme><CalibMode>global_scale</CalibMode>\n",
      network);
  const auto add = [&](std::string_view key, const auto& value) {
    text += fmt::format("      <{0}>{1}</{0}>\n", key, value);
  };
  add("TvmOptLevel", static_cast<int>(random.level));
  add("WeightsScale", options.weight_scale == quant::WeightScale::kMax ? "max" : "power2");
  add("GlobalScale", options.global_scale);
  add("DtypeInput", ir::dtype_name(options.dtype_input));
  add("DtypeWeight", ir::dtype_name(options.dtype_weight));
  add("DtypeActivation", ir::dtype_name(options.dtype_activation));
  add("ActivationBits", options.nbit_input);
  add("WeightBits", options.nbit_weight);
  add("SkipConvLayers", "[" + skipped + "]");
  add("SkipDenseLayer", options.skip_dense_layer ? "True" : "False");
  add("PartitionConversions", name(options.partition_conversions));
  add("OutputDirectory", "quantized");
  return text + "    </QuantizationParameters>\n  </Config>\n";
}

void dump(const fs::path& folder, std::uint32_t first, std::uint32_t count) {
  fs::create_directories(folder);
  std::ofstream configs(folder / "config.xml");
  configs << "<QuantizationConfigs>\n";
  for (std::uint32_t seed = first; seed < first + count; ++seed) {
    const support::RandomCase random =
        support::random_case(seed, support::OptionRange::kConfiguration);
    const std::string network = fmt::format("r{}", seed);
    relay::NamedTensors parameters;
    const ir::Graph graph = with_parameters(random.graph, parameters);
    std::ofstream json(folder / (network + ".json"), std::ios::binary);
    relay::write_module({.functions = {{"main", graph}}},
                        [&](std::string_view piece) { json << piece; });
    std::ofstream params(folder / (network + ".params"), std::ios::binary);
    relay::write_params(parameters, [&](std::string_view piece) { params << piece; });
    configs << config(network, random);
  }
  configs << "</QuantizationConfigs>\n";
  configs.flush();
  if (!configs) throw InputError("cannot write " + folder.string());
}

}  // namespace
}  // namespace tvmq

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw tvmq::InputError("usage: dump_random_networks FOLDER FIRST_SEED COUNT");
    tvmq::dump(argv[1], tvmq::number(argv[2]), tvmq::number(argv[3]));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
