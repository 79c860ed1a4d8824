#include "module_corpus.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "driver/model_files.h"
#include "quantize_in_memory.h"
#include "relay/module_writer.h"
#include "support/random_network.h"

namespace tvmq::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kRandomNetworks = 40;
constexpr std::uintmax_t kMostBytes = 200'000;

std::string text_of(const ir::Module& module) {
  std::string text;
  relay::write_module(module, [&](std::string_view piece) { text += piece; });
  return text;
}

void add_random_networks(std::vector<std::string>& corpus) {
  for (std::uint32_t seed = 0; seed < kRandomNetworks; ++seed) {
    const ir::Graph graph = support::random_case(seed).graph;
    corpus.push_back(text_of({.functions = {{"main", graph}}}));
    for (const ir::Module& quantized : quantize_in_memory(graph)) {
      corpus.push_back(text_of(quantized));
    }
  }
}

}  // namespace

std::vector<std::string> read_module_corpus(std::span<const fs::path> folders) {
  std::vector<std::string> corpus;
  add_random_networks(corpus);
  for (const fs::path& folder : folders) {
    if (!fs::exists(folder)) continue;
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().extension() == ".json" && entry.file_size() <= kMostBytes) {
        files.push_back(entry.path());
      }
    }
    std::ranges::sort(files);
    for (const fs::path& file : files) {
      fs::path params = file;
      params.replace_extension(".params");
      corpus.push_back(fs::exists(params)
                           ? text_of({.functions = {{"main", driver::load_model(file, params)}}})
                           : read_file(file));
    }
  }
  std::erase_if(corpus, [](const std::string& text) { return text.size() > kMostBytes; });
  return corpus;
}

}  // namespace tvmq::fuzz
