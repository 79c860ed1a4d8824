// quantization_tvm evaluate: accuracy of a model, and agreement with another one.
#include <memory>

#include "base/error.h"
#include "command.h"
#include "driver/evaluate_model.h"
#include "model_argument.h"

namespace tvmq {
namespace {

struct Arguments {
  ModelArgument model;
  ReferenceArgument reference;
  ImageArguments images;
  OutputArguments output;
  CommonOptions common;
  bool flips = false;
};

int evaluate(const Arguments& arguments, Log& log) {
  auto config = arguments.model.read_config();
  if (!config) throw InputError("expected -c FILE: it says how images become inputs");
  arguments.images.apply(*config);
  const ir::Graph model = arguments.model.load(config);
  const auto reference = arguments.reference.load(std::nullopt);
  const driver::Evaluation result = driver::evaluate_model(
      model, reference ? &*reference : nullptr, *config, arguments.images.samples,
      {.config_file = arguments.model.config, .threads = arguments.common.threads}, log);
  arguments.output.write(arguments.output.format == "json"
                             ? driver::to_json(result)
                             : driver::to_text(result, arguments.flips));
  return kSuccess;
}

}  // namespace

Command add_evaluate(CLI::App& program) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = program.add_subcommand(
      "evaluate", "Accuracy of a model, float or quantized, on labelled images.");
  arguments->model.add_to(*app);
  arguments->reference.add_to(*app, "a second module: agreement with it, SQNR, flipped images");
  arguments->images.add_to(*app, "the first so many images; default: all");
  arguments->output.add_to(*app, {"text", "json"});
  app->add_flag("--flips", arguments->flips, "list the images whose first class differs")
      ->group("Output");
  add_common_options(*app, arguments->common,
                     "worker threads, 0 for all cores; never changes the result");
  return {app, [arguments] {
            ConsoleLog log(arguments->common.log_level());
            return guarded(log, "evaluate", [&] { return evaluate(*arguments, log); });
          }};
}

}  // namespace tvmq
