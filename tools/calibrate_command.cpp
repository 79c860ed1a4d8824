// quantization_tvm calibrate and merge: calibration caches, filled and put together.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "base/error.h"
#include "command.h"
#include "driver/calibrate_model.h"
#include "model_argument.h"

namespace tvmq {
namespace {

std::string to_text(const driver::CacheState& state, std::string_view file) {
  std::string text = fmt::format("{}: {} samples, {}\n", file, state.samples,
                                 state.complete ? "complete" : "not complete");
  for (const std::string& line : state.missing) text += "  " + line + "\n";
  if (!state.complete) {
    text +=
        "  go on: calibrate every part with a copy of this file as its cache, then merge the "
        "copies\n";
  }
  return text;
}

}  // namespace

Command add_calibrate(CLI::App& program) {
  struct Arguments {
    std::filesystem::path config;
    std::string name;
    std::filesystem::path cache;
    std::filesystem::path images;
    CommonOptions common;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = program.add_subcommand(
      "calibrate", "Fills a calibration cache, or goes on with one that is not complete.");
  app->add_option("-c,--config", arguments->config, "the XML configuration")
      ->type_name("FILE")
      ->required();
  app->add_option("--name", arguments->name, "Model/Name, if the file has several Configs");
  app->add_option("--cache", arguments->cache, "in place of CalibrationCache")->type_name("FILE");
  app->add_option("--images", arguments->images, "in place of Dataset/Path")->type_name("FOLDER");
  add_common_options(*app, arguments->common,
                     "worker threads, 0 for all cores; never changes the result");
  return {app, [arguments] {
            ConsoleLog log(arguments->common.log_level());
            return guarded(log, "calibrate", [&]() -> int {
              ModelArgument model;
              model.config = arguments->config;
              model.name = arguments->name;
              driver::Config config = *model.read_config();
              if (!arguments->cache.empty()) {
                config.quantization.calibration_cache = arguments->cache;
              }
              if (!arguments->images.empty()) config.dataset.path = arguments->images;
              config.dataset.labels.reset();
              const driver::CacheState state = driver::calibrate_model(
                  config, {.config_file = arguments->config, .threads = arguments->common.threads},
                  log);
              print(to_text(state, config.quantization.calibration_cache->string()));
              return kSuccess;
            });
          }};
}

Command add_merge(CLI::App& program) {
  struct Arguments {
    std::vector<std::filesystem::path> caches;
    std::filesystem::path output;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = program.add_subcommand(
      "merge", "Puts calibration caches of different images together into one.");
  app->add_option("caches", arguments->caches, "calibration caches of one model")
      ->type_name("FILE")
      ->required();
  app->add_option("-o,--output", arguments->output, "the file to write; may be one of those read")
      ->type_name("FILE")
      ->required();
  return {app, [arguments] {
            ConsoleLog log(LogLevel::kInfo);
            return guarded(log, "merge", [&]() -> int {
              const driver::CacheState state =
                  driver::merge_caches(arguments->caches, arguments->output);
              print(to_text(state, arguments->output.string()));
              return kSuccess;
            });
          }};
}

}  // namespace tvmq
