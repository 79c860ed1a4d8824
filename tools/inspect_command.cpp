// quantization_tvm inspect: what is in a model.
#include <fmt/format.h>

#include <map>
#include <memory>

#include "base/error.h"
#include "command.h"
#include "driver/inspect_model.h"
#include "ir/text.h"
#include "model_argument.h"

namespace tvmq {
namespace {

struct Arguments {
  ModelArgument model;
  CommonOptions common;
  bool text = false;
  bool full = false;
  bool layers = false;
  OutputArguments output;
};

using Preview = std::optional<std::vector<quant::QuantizationSummary::Layer>>;

std::string preview_text(const Preview& preview, driver::Scheme scheme) {
  if (!preview) return "\nsome layers multiply integers already: this network is quantized\n";
  std::size_t quantized = 0;
  std::string kept;
  for (const auto& layer : *preview) {
    if (layer.quantized) {
      ++quantized;
    } else {
      kept += fmt::format("  stays float: {} ({})\n", layer.name, layer.reason);
    }
  }
  return fmt::format("\nScheme {} would quantize {} of {} layers\n{}",
                     scheme == driver::Scheme::kTvm ? "tvm" : "integer", quantized, preview->size(),
                     kept);
}

int inspect(const Arguments& arguments, Log& log) {
  const auto config = arguments.model.read_config();
  const ir::Graph graph = arguments.model.load(config);
  if (arguments.text && arguments.output.format != "text") {
    throw InputError("--text and --format json exclude each other");
  }
  if (arguments.text) {
    arguments.output.write(ir::to_text(graph, {.elide_large_constants = !arguments.full}));
    return kSuccess;
  }
  const driver::Inspection inspection = driver::inspect_model(graph);
  const driver::QuantizationConfig quantization =
      config ? config->quantization : driver::QuantizationConfig{};
  Preview preview;
  std::string refused;
  try {
    preview = driver::preview_quantization(graph, quantization, log);
  } catch (const InputError& error) {
    refused = error.what();
  }
  if (arguments.output.format == "json") {
    arguments.output.write(driver::to_json(inspection, preview));
    return kSuccess;
  }
  arguments.output.write(driver::to_text(inspection, arguments.layers) +
                         (refused.empty() ? preview_text(preview, quantization.scheme)
                                          : fmt::format("\ncannot be quantized: {}\n", refused)));
  return kSuccess;
}

}  // namespace

Command add_inspect(CLI::App& program) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = program.add_subcommand(
      "inspect", "What a model is made of, float or quantized, and what would be quantized.");
  arguments->model.add_to(*app);
  auto* text = app->add_flag("--text", arguments->text,
                             "the network itself, one value per line (docs/text_form.md)")
                   ->group("Output");
  app->add_flag("--full", arguments->full, "with --text: all elements of all weights")
      ->needs(text)
      ->group("Output");
  app->add_flag("--layers", arguments->layers, "a line for every layer")
      ->excludes(text)
      ->group("Output");
  arguments->output.add_to(*app, {"text", "json"});
  add_common_options(*app, arguments->common, "");
  return {app, [arguments] {
            ConsoleLog log(arguments->common.log_level());
            return guarded(log, "inspect", [&] { return inspect(*arguments, log); });
          }};
}

}  // namespace tvmq
