// A model on disk: a pair of files in, a pair of files out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "ir/graph.h"

namespace tvmq::driver {

/// The size of a file; 0 if there is none.
std::uint64_t bytes_on_disk(const std::filesystem::path& file);

/// The network of a `.json`/`.params` pair with its weights bound and every type inferred.
/// Throws InputError if the files cannot be read, do not belong together, or hold no network that
/// can be quantized (several functions, no operator at all, more of them than memory in proportion
/// to the files allows).
ir::Graph load_model(const std::filesystem::path& json, const std::filesystem::path& params);

/// Any network that can be looked at or run, also a quantized one, ours or TVM's own; a module of
/// several functions as one graph. `params` may be empty: all values are constants in the module
/// then. Throws InputError as load_model() does, but not for several functions.
ir::Graph load_network(const std::filesystem::path& json, const std::filesystem::path& params);

struct WrittenModel {
  std::filesystem::path json;
  std::filesystem::path params;
  std::filesystem::path report_json;  ///< where the run's reports belong; not written yet
  std::filesystem::path report_html;
  std::uint64_t json_bytes = 0;
  std::uint64_t params_bytes = 0;
};

/// Writes `<directory>/<name>.json` and `<directory>/<name>.params`; the directory is created if it
/// is missing. Before either file is put in place the module is read back and compared with
/// `module`, so that what appears is known to be the graph in memory.
///
/// Each file appears whole or not at all, and whenever the program is killed, what is there fits
/// together: first the .params (the same bytes for every quantized model), then the reports of an
/// older model go, then the .json takes its place. A .json has its .params; a report beside it is
/// about it.
///
/// All values of a quantized module are constants inside the .json, as in TVM's own; the .params
/// file is an empty dictionary, so that what loads and builds the pair needs no special case.
WrittenModel write_model(const ir::Module& module, const std::filesystem::path& directory,
                         const std::string& name);

}  // namespace tvmq::driver
