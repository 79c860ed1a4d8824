// The XML configuration: what the user asks for, checked as far as that is possible without reading
// the model. docs/configuration.md is the reference for users and is made from the same table.
//
//   <QuantizationConfigs>              any name; a file whose root is itself a Config is fine too
//     <Config>
//       <Model> ... </Model>
//       <Dataset> ... </Dataset>
//       <QuantizationParameters> ... </QuantizationParameters>
//     </Config>
//     <Config> ... </Config>           each is read on its own: an error in one leaves the others
//   </QuantizationConfigs>
//
// An empty element means the default. Numbers are read the same in every locale. Unknown, repeated
// and misplaced keys are errors.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/dtype.h"

namespace tvmq::driver {

enum class Scheme : std::uint8_t { kTvm, kInteger };
enum class CalibMode : std::uint8_t { kKlDivergence, kGlobalScale, kPercentile, kMinmax, kMse };
enum class WeightsScale : std::uint8_t { kMax, kPower2 };
enum class WeightGranularity : std::uint8_t { kPerChannel, kPerTensor };
enum class WeightRounding : std::uint8_t { kNearest, kGptq };
enum class PartitionConversions : std::uint8_t { kDisabled, kEnabled, kFullyIntegral };

struct ModelConfig {
  std::string name;                      ///< names the output files; no path separators
  std::filesystem::path model_json;      ///< as written; see resolve()
  std::filesystem::path weights_params;  ///< as written; see resolve()
  bool operator==(const ModelConfig&) const = default;
};

struct DatasetConfig {
  std::string name;
  std::filesystem::path path;  ///< as written; see resolve(). Empty only with kGlobalScale.
  std::optional<std::filesystem::path> labels;  ///< as written; see resolve()
  /// Where the labelled images are, for commands that are told; nothing: looked for.
  std::optional<std::filesystem::path> labelled_images;
  std::vector<double> mean = {0.0, 0.0, 0.0};                   ///< one or three
  std::vector<double> std = {1.0, 1.0, 1.0};                    ///< one or three, each > 0
  std::optional<std::array<std::int64_t, 2>> image_resolution;  ///< width, height
  std::int64_t batch_size = 1;
  std::string layout = "NCHW";  ///< a permutation of N, C, H, W
  bool normalization = false;
  std::array<int, 3> channel_swap = {2, 1, 0};  ///< a permutation of 0, 1, 2
  bool operator==(const DatasetConfig&) const = default;
};

struct QuantizationConfig {
  std::int64_t calib_samples = 128;
  CalibMode calib_mode = CalibMode::kMse;
  WeightsScale weights_scale = WeightsScale::kMax;
  double global_scale = 8.0;  ///< > 0
  ir::DType dtype_input = ir::DType::kInt8;
  ir::DType dtype_weight = ir::DType::kInt8;
  ir::DType dtype_activation = ir::DType::kInt32;
  PartitionConversions partition_conversions = PartitionConversions::kDisabled;
  std::filesystem::path output_directory = ".";  ///< relative to the working directory

  Scheme scheme = Scheme::kInteger;
  std::optional<int> tvm_opt_level;   ///< 2 or 3, for kTvm only; nothing: 2
  std::string input_name;             ///< empty: the model's only input that is no parameter
  std::optional<std::uint64_t> seed;  ///< nothing: the first files by name
  /// Ordinals, as TVM counts convolutions; nothing: {0} for kTvm, as in TVM, none for kInteger.
  std::optional<std::vector<std::int64_t>> skip_conv_layers;
  std::optional<bool> skip_dense_layer;  ///< nothing: true for kTvm, as in TVM, false for kInteger
  std::vector<std::string> skip_layers;  ///< patterns of layer names, see quant/layers.h
  /// Patterns of layers that take 16-bit inputs; nothing: quant::little_seen_layers().
  std::optional<std::vector<std::string>> wide_layers;
  int activation_bits = 8;  ///< 2 to 16, at most the bits of dtype_input
  int weight_bits = 8;      ///< 2 to 16, at most the bits of dtype_weight
  /// For kInteger; nothing: on, unless the mode needs no samples.
  std::optional<bool> equalization;
  std::optional<bool> bias_correction;
  std::optional<WeightRounding> weight_rounding;        ///< nothing: kGptq where there are samples
  std::optional<WeightGranularity> weight_granularity;  ///< for kInteger; nothing: kPerChannel
  /// Bounds of accuracy control, for kInteger: how much top-1 may fall (percentage points), and the
  /// least SQNR of every output (dB).
  std::optional<double> max_accuracy_drop;
  std::optional<double> min_sqnr;
  std::optional<std::filesystem::path> plan_file;          ///< relative to the working directory
  std::string target = "llvm -mcpu=cascadelake";           ///< for kInteger; see quant/target.h
  std::optional<std::filesystem::path> calibration_cache;  ///< relative to the working directory
  bool operator==(const QuantizationConfig&) const = default;
};

struct Config {
  ModelConfig model;
  DatasetConfig dataset;
  QuantizationConfig quantization;
  bool operator==(const Config&) const = default;
};

/// Every key, "Group/Key", with the text that was used for it: what was written or the default.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// One `Config` of a file: what it says, or what is wrong with it.
struct ParsedConfig {
  std::string title;  ///< "NAME", or "Config at line 7" when it has no usable name
  int line = 0;       ///< of its opening tag
  std::optional<Config> config;
  Settings settings;  ///< of `config`, for the report
  std::string error;  ///< every mistake found, one per line; empty if there is a config
};

/// Every Config of the file, in order, at least one. InputError if the file cannot be read, is no
/// XML, or has no Config at all. Two Configs that would write the same output files: the later one
/// is an error.
std::vector<ParsedConfig> read_configs(const std::filesystem::path& file);
std::vector<ParsedConfig> parse_configs(std::string_view xml, std::string_view name_for_errors);

/// The existing file or folder that `written` means: tried from the working directory, then from
/// the folder of the configuration file. InputError names both when there is neither.
std::filesystem::path resolve(const std::filesystem::path& written,
                              const std::filesystem::path& config_file);

/// One row of the reference of all keys.
struct ConfigKey {
  std::string_view group;     ///< "Model", "Dataset" or "QuantizationParameters"
  std::string_view key;       ///< the element's name
  std::string_view values;    ///< what may be written in it
  std::string_view fallback;  ///< the default as it would be written; empty if there is none
  std::string_view meaning;
  bool required = false;
};

/// Every key that this version understands, in the order of the documentation.
std::vector<ConfigKey> config_reference();

}  // namespace tvmq::driver
