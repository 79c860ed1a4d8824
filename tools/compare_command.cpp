// quantization_tvm compare: two models layer by layer.
#include <memory>

#include "base/error.h"
#include "command.h"
#include "driver/compare_models.h"
#include "model_argument.h"

namespace tvmq {
namespace {

constexpr std::int64_t kFewImages = 32;

struct Arguments {
  ModelArgument model;
  ReferenceArgument reference;
  ImageArguments images;
  OutputArguments output;
  CommonOptions common;
  std::string sort = "worst";
};

int compare(const Arguments& arguments, Log& log) {
  auto config = arguments.model.read_config();
  if (!config) throw InputError("expected -c FILE: it says how images become inputs");
  arguments.images.apply(*config);
  if (arguments.model.json.empty()) {
    throw InputError("expected a module to compare with the reference: --json FILE");
  }
  const ir::Graph model = arguments.model.load(config);
  const auto reference = arguments.reference.load(arguments.model.of_config(config));
  driver::LayerTable table = driver::compare_models(
      *reference, model, *config,
      arguments.images.samples < 0 ? kFewImages : arguments.images.samples,
      {.config_file = arguments.model.config, .threads = arguments.common.threads}, log);
  if (arguments.sort == "worst") driver::sort_worst_first(table.rows);
  const std::string& format = arguments.output.format;
  arguments.output.write(format == "json"  ? driver::to_json(table)
                         : format == "csv" ? driver::to_csv(table)
                                           : driver::to_text(table));
  return kSuccess;
}

}  // namespace

Command add_compare(CLI::App& program) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = program.add_subcommand(
      "compare", "Two models layer by layer: where the error of a quantized one comes from.");
  arguments->model.add_to(*app);
  arguments->reference.add_to(*app, "the reference; default: the configuration's own model");
  arguments->images.add_to(*app, "the first so many images; default: 32");
  arguments->output.add_to(*app, {"text", "csv", "json"});
  app->add_option("--sort", arguments->sort, "worst: lowest SQNR first; order: of execution")
      ->check(CLI::IsMember({"worst", "order"}))
      ->capture_default_str()
      ->group("Output");
  add_common_options(*app, arguments->common,
                     "worker threads, 0 for all cores; never changes the result");
  return {app, [arguments] {
            ConsoleLog log(arguments->common.log_level());
            return guarded(log, "compare", [&] { return compare(*arguments, log); });
          }};
}

}  // namespace tvmq
