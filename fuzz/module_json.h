// A module file taken apart without judging it, so that it can be put together wrongly.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tvmq::fuzz {

struct ModuleNode {
  std::string type_key;
  std::optional<std::string> text;  ///< "repr_str"
  std::vector<std::pair<std::string, std::string>> attrs;
  std::vector<std::string> keys;
  std::vector<std::string> data;  ///< JSON values: numbers, if nothing was done to them
};

struct ModuleFile {
  std::string root;  ///< a JSON value, too
  std::vector<ModuleNode> nodes;
  std::vector<std::string> tensors;  ///< "b64ndarrays"
};

/// Nothing if `json` is not of this form.
std::optional<ModuleFile> read_module_file(std::string_view json);
std::string to_json(const ModuleFile& file);

}  // namespace tvmq::fuzz
