#include "model_argument.h"

#include <fmt/format.h>

#include "base/error.h"
#include "command.h"
#include "driver/model_files.h"

namespace tvmq {

void ModelArgument::add_to(CLI::App& app) {
  const auto* const group = "Model";
  app.add_option("-c,--config", config, "the XML configuration that names model and images")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--name", name, "of several Configs, the one with this Model/Name")
      ->type_name("NAME")
      ->group(group);
  app.add_option("model,--json", json,
                 "a module that TVM or this program wrote, instead of the configuration's")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--params", params,
                 "its parameters; default: the .params file beside it, if there is one")
      ->type_name("FILE")
      ->group(group);
}

std::optional<driver::Config> ModelArgument::read_config() const {
  if (config.empty()) {
    if (!name.empty()) throw InputError("--name chooses from a configuration; give -c too");
    return std::nullopt;
  }
  const std::vector<driver::ParsedConfig> all = driver::read_configs(config);
  std::string names;
  const driver::ParsedConfig* found = nullptr;
  for (const driver::ParsedConfig& each : all) {
    names += (names.empty() ? "" : ", ") + each.title;
    if (name.empty() ? all.size() == 1 : each.title == name) found = &each;
  }
  if (found == nullptr) {
    throw InputError(fmt::format("{}: {}, expected --name with one of: {}", config.string(),
                                 name.empty() ? fmt::format("found {} Configs", all.size())
                                              : fmt::format("found no Config '{}'", name),
                                 names));
  }
  if (!found->config) throw InputError(found->error);
  return found->config;
}

std::filesystem::path params_of(const std::filesystem::path& json,
                                const std::filesystem::path& params) {
  if (!params.empty()) return params;
  std::filesystem::path beside = json;
  beside.replace_extension(".params");
  std::error_code ignored;
  return std::filesystem::exists(beside, ignored) ? beside : std::filesystem::path();
}

ir::Graph ModelArgument::load(const std::optional<driver::Config>& parsed) const {
  if (!json.empty()) return driver::load_network(json, params_of(json, params));
  if (!params.empty()) throw InputError("--params belongs to a module; give --json too");
  if (!parsed) throw InputError("found no model, expected --json FILE or -c FILE");
  return *of_config(parsed);
}

std::optional<ir::Graph> ModelArgument::of_config(
    const std::optional<driver::Config>& parsed) const {
  if (!parsed) return std::nullopt;
  return driver::load_network(driver::resolve(parsed->model.model_json, config),
                              driver::resolve(parsed->model.weights_params, config));
}

void ReferenceArgument::add_to(CLI::App& app, std::string_view meaning) {
  app.add_option("--against", json, std::string(meaning))->type_name("FILE")->group("Model");
  app.add_option("--against-params", params, "its parameters; default as for --params")
      ->type_name("FILE")
      ->group("Model");
}

std::optional<ir::Graph> ReferenceArgument::load(std::optional<ir::Graph> fallback) const {
  if (!json.empty()) return driver::load_network(json, params_of(json, params));
  if (!params.empty()) throw InputError("--against-params belongs to a module; give --against too");
  return fallback;
}

void ImageArguments::add_to(CLI::App& app, std::string_view samples_meaning) {
  app.add_option("--images", images,
                 "folder of the images, instead of Dataset/Path; with a list of labels, of the "
                 "labelled ones")
      ->type_name("FOLDER")
      ->group("Images");
  app.add_option("--labels", labels, "list of lines `file class`, instead of Dataset/Labels")
      ->type_name("FILE")
      ->group("Images");
  constexpr std::int64_t kMost = 1'000'000'000;
  app.add_option("--samples", samples, std::string(samples_meaning))
      ->check(CLI::Range(std::int64_t{1}, kMost))
      ->group("Images");
}

void ImageArguments::apply(driver::Config& config) const {
  if (!images.empty()) {
    config.dataset.path = images;
    config.dataset.labelled_images = images;
  }
  if (!labels.empty()) config.dataset.labels = labels;
  constexpr std::int64_t kAll = 1'000'000'000;
  config.quantization.calib_samples = samples < 0 ? kAll : samples;
  config.quantization.seed.reset();
}

void OutputArguments::add_to(CLI::App& app, const std::vector<std::string>& formats) {
  app.add_option("--format", format, "how results are written")
      ->check(CLI::IsMember(formats))
      ->capture_default_str()
      ->group("Output");
  app.add_option("-o,--output", file, "the file to write; default: the terminal")
      ->type_name("FILE")
      ->group("Output");
}

void OutputArguments::write(std::string_view text) const { print_or_write(text, file); }

}  // namespace tvmq
