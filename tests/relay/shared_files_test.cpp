// Every module and params file that comes with the project.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "ir/structural_equal.h"
#include "relay/module_text.h"
#include "relay/params.h"

namespace tvmq::relay {
namespace {

namespace fs = std::filesystem;

bool is_module(const fs::path& path) {
  std::ifstream file(path);
  std::string head(64, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  return head.find("\"root\"") != std::string::npos;
}

std::vector<fs::path> shared_files(const std::string& extension) {
  std::vector<fs::path> found;
  for (const char* folder : {"models", "architectures", "golden/nets", "example"}) {
    const fs::path root = fs::path(TVMQ_SHARED_DIR) / folder;
    if (!fs::exists(root)) continue;
    for (const fs::directory_entry& each : fs::recursive_directory_iterator(root)) {
      if (each.path().extension() == extension) found.push_back(each.path());
    }
  }
  return found;
}

TEST(SharedFiles, EveryModuleIsRead) {
  int read = 0;
  for (const fs::path& path : shared_files(".json")) {
    if (!is_module(path)) continue;
    SCOPED_TRACE(path);
    const ir::Module module = read_module(path);
    EXPECT_GT(module.main().size(), 0);
    ++read;
  }
  if (read == 0) GTEST_SKIP() << "no shared files";
}

TEST(SharedFiles, ModulesSurviveARoundTrip) {
  int read = 0;
  for (const fs::path& path : shared_files(".json")) {
    if (!is_module(path)) continue;
    SCOPED_TRACE(path);
    const ir::Module module = read_module(path);
    const std::string bytes = written(module);
    EXPECT_EQ(written(module), bytes);
    const ir::Module again = parse_module(bytes, "again");
    EXPECT_EQ(first_difference(module, again), std::nullopt);
    EXPECT_EQ(written(again), bytes);
    ++read;
  }
  if (read == 0) GTEST_SKIP() << "no shared files";
}

TEST(SharedFiles, ParamsBelongToTheirModels) {
  int read = 0;
  for (const fs::path& path : shared_files(".params")) {
    SCOPED_TRACE(path);
    const NamedTensors params = read_params(path);
    fs::path json = path;
    json.replace_extension(".json");
    const ir::Module module = read_module(json);
    const ir::Graph bound = bind_params(module.main(), params);
    std::vector<std::string> unbound;
    for (const ir::NodeId id : module.main().inputs()) {
      const std::string& name = module.main()[id].name;
      if (!params.contains(name)) unbound.push_back(name);
    }
    std::vector<std::string> left;
    for (const ir::NodeId id : bound.inputs()) left.push_back(bound[id].name);
    EXPECT_EQ(left, unbound);
    ++read;
  }
  if (read == 0) GTEST_SKIP() << "no shared files";
}

}  // namespace
}  // namespace tvmq::relay
