#include "driver/model_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/memory_limit.h"
#include "driver/memory_budget.h"
#include "ir/infer_types.h"
#include "ir/inline_functions.h"
#include "ir/structural_equal.h"
#include "relay/module_reader.h"
#include "relay/module_writer.h"
#include "relay/params.h"

namespace tvmq::driver {
namespace {

void make_output_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error || !std::filesystem::is_directory(directory, error)) {
    throw InputError(fmt::format("OutputDirectory {}: cannot create the directory: {}",
                                 directory.string(), error ? error.message() : "it is a file"));
  }
}

void remove_file(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) {
    throw InputError(fmt::format("{}: cannot remove the report of an older model: {}",
                                 path.string(), error.message()));
  }
}

/// A .params file of another model binds little or nothing; the error that this would cause later
/// would not say so.
void require_weights(const ir::Graph& graph, const relay::NamedTensors& params,
                     const std::filesystem::path& json, const std::filesystem::path& file) {
  std::vector<std::string> open;
  for (const ir::NodeId input : graph.inputs()) {
    if (!params.contains(graph[input].name)) open.push_back(graph[input].name);
  }
  const std::size_t bound = graph.inputs().size() - open.size();
  if (open.size() < 2 || bound == params.size()) return;
  constexpr std::size_t kShown = 3;
  const std::size_t shown = std::min(open.size(), kShown);
  throw InputError(fmt::format(
      "{}: found weights of another model: {} of its {} names are inputs of {}, while '{}'{} of "
      "its "
      "inputs are not in the file",
      file.string(), bound, params.size(), json.string(),
      fmt::join(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(shown), "', '"),
      open.size() > shown ? fmt::format(" and {} more", open.size() - shown) : ""));
}

ir::Graph bind(const ir::Graph& graph, const std::filesystem::path& json,
               const std::filesystem::path& params) {
  const relay::NamedTensors weights = relay::read_params(params);
  require_weights(graph, weights, json, params);
  return relay::bind_params(graph, weights);
}

/// What `make` returns; its InputError gets the file's name in front.
template <class Make>
auto naming(const std::filesystem::path& json, Make&& make) {
  try {
    return make();
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", json.string(), error.what()));
  }
}

void require_operators(const ir::Graph& graph, const std::filesystem::path& json) {
  const auto nodes = graph.nodes();
  if (std::none_of(nodes.begin(), nodes.end(),
                   [](const ir::Node& node) { return node.kind == ir::NodeKind::kCall; })) {
    throw InputError(fmt::format("{}: expected a network, found no operator in it", json.string()));
  }
}

/// What is not worth trying is refused before anything is allocated for it.
void require_usable(const ir::Graph& graph, const OperatorBudget& budget,
                    const std::filesystem::path& json, const std::filesystem::path& params) {
  require_operators(graph, json);
  require_memory(graph, memory_limit(), json.string());
  require_few_operators(graph, budget, bytes_on_disk(json) + bytes_on_disk(params), json.string());
}

}  // namespace

std::uint64_t bytes_on_disk(const std::filesystem::path& file) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(file, error);
  return error ? 0 : bytes;
}

ir::Graph load_model(const std::filesystem::path& json, const std::filesystem::path& params) {
  const ir::Module module = relay::read_module(json);
  if (module.functions.size() > 1) {
    throw InputError(fmt::format(
        "{}: expected a network in one function, found {} functions that main calls; this looks "
        "like the output of PartitionConversions, quantize the float model instead",
        json.string(), module.functions.size() - 1));
  }
  ir::Graph graph = bind(module.main(), json, params);
  naming(json, [&] { ir::infer_types(graph); });
  require_usable(graph, kQuantizedNetwork, json, params);
  return graph;
}

ir::Graph load_network(const std::filesystem::path& json, const std::filesystem::path& params) {
  ir::Module module = relay::read_module(json);
  if (!params.empty()) {
    for (ir::Function& function : module.functions) {
      if (function.name == "main") function.graph = bind(function.graph, json, params);
    }
  }
  ir::Graph graph = naming(json, [&] { return ir::inline_functions(module); });
  require_usable(graph, kRunNetwork, json, params);
  return graph;
}

WrittenModel write_model(const ir::Module& module, const std::filesystem::path& directory,
                         const std::string& name) {
  make_output_directory(directory);
  WrittenModel written{.json = directory / (name + ".json"),
                       .params = directory / (name + ".params"),
                       .report_json = directory / (name + ".report.json"),
                       .report_html = directory / (name + ".report.html")};

  AtomicFile json(written.json);
  relay::write_module(module, [&](std::string_view bytes) { json.write(bytes); });
  json.prepare();
  AtomicFile params(written.params);
  relay::write_params({}, [&](std::string_view bytes) { params.write(bytes); });
  params.prepare();

  if (const auto difference =
          ir::first_difference(module, relay::read_module(json.temporary_path()))) {
    throw InternalError(fmt::format("{}: what was written is not the quantized graph: {}",
                                    written.json.string(), *difference));
  }
  params.commit();
  remove_file(written.report_json);
  remove_file(written.report_html);
  json.commit();
  written.json_bytes = json.size();
  written.params_bytes = params.size();
  return written;
}

}  // namespace tvmq::driver
