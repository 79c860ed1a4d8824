// quantization_tvm benchmark: latency and throughput in this program's executor.
#include <algorithm>
#include <memory>
#include <thread>

#include "command.h"
#include "driver/benchmark_models.h"
#include "model_argument.h"

namespace tvmq {
namespace {

constexpr std::int64_t kMostRuns = 1'000'000;

struct Arguments {
  ModelArgument model;
  ReferenceArgument reference;
  OutputArguments output;
  CommonOptions common;
  std::int64_t runs = 50;
  bool steps = false;
};

int benchmark(const Arguments& arguments, Log& log) {
  const auto config = arguments.model.read_config();
  const ir::Graph model = arguments.model.load(config);
  const auto reference = arguments.reference.load(
      arguments.model.json.empty() ? std::nullopt : arguments.model.of_config(config));
  const int threads = arguments.common.threads > 0
                          ? arguments.common.threads
                          : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const driver::Benchmark result = driver::benchmark_models(
      model, reference ? &*reference : nullptr, {.runs = arguments.runs, .threads = threads}, log);
  arguments.output.write(arguments.output.format == "json"
                             ? driver::to_json(result)
                             : driver::to_text(result, arguments.steps));
  return kSuccess;
}

}  // namespace

Command add_benchmark(CLI::App& program) {
  auto arguments = std::make_shared<Arguments>();
  arguments->common.threads = 1;
  CLI::App* app = program.add_subcommand(
      "benchmark", "Latency and throughput of a model, and of another one in turn with it.");
  arguments->model.add_to(*app);
  arguments->reference.add_to(
      *app, "a second module; default: with -c and --json the configuration's own model");
  app->add_option("--runs", arguments->runs, "runs of each network, for at most 30 seconds")
      ->check(CLI::Range(std::int64_t{1}, kMostRuns))
      ->capture_default_str()
      ->group("Measuring");
  arguments->output.add_to(*app, {"text", "json"});
  app->add_flag("--steps", arguments->steps, "a line for every kernel")->group("Output");
  add_common_options(*app, arguments->common,
                     "threads inside operators, and sessions at once for throughput; 0: all cores");
  return {app, [arguments] {
            ConsoleLog log(arguments->common.log_level());
            return guarded(log, "benchmark", [&] { return benchmark(*arguments, log); });
          }};
}

}  // namespace tvmq
