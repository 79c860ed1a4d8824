#include "driver/config_keys.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "driver/config_value.h"
#include "quant/target.h"

namespace tvmq::driver {
namespace {

constexpr std::string_view kModel = "Model";
constexpr std::string_view kDataset = "Dataset";
constexpr std::string_view kQuantization = "QuantizationParameters";
constexpr std::int64_t kMany = 1'000'000'000;

constexpr std::string_view kPath = "a path";
constexpr std::string_view kSwitch = "True or False";
constexpr std::string_view kDtypes = "int8, int16 or int32";
constexpr std::string_view kThreeNumbers = "a list of 1 or 3 numbers";

template <class To, class From>
bool assign(To& to, std::optional<From> value) {
  if (!value) return false;
  to = static_cast<To>(*std::move(value));
  return true;
}

template <class Enum>
struct NamedValue {
  std::string_view name;
  Enum value;
};

template <class Enum, std::size_t kCount>
bool set_named(const NamedValue<Enum> (&values)[kCount], std::string_view text, Enum& to) {
  const auto* found = std::find_if(std::begin(values), std::end(values),
                                   [&](const auto& candidate) { return candidate.name == text; });
  if (found == std::end(values)) return false;
  to = found->value;
  return true;
}

bool set_dtype(std::string_view text, ir::DType& to) {
  static constexpr NamedValue<ir::DType> kValues[] = {
      {"int8", ir::DType::kInt8}, {"int16", ir::DType::kInt16}, {"int32", ir::DType::kInt32}};
  return set_named(kValues, text, to);
}

bool set_per_channel(std::string_view text, std::vector<double>& to) {
  const auto values = parse_numbers(text);
  return values && (values->size() == 1 || values->size() == 3) && assign(to, values);
}

bool set_name(Config& config, std::string_view text) {
  constexpr std::size_t kMaxBytes = 200;  // leaves room for suffixes in a file name of 255
  const bool hostile =
      text == "." || text == ".." || text.size() > kMaxBytes ||
      std::any_of(text.begin(), text.end(), [](char symbol) {
        return symbol == '/' || symbol == '\\' || static_cast<unsigned char>(symbol) < ' ';
      });
  if (!hostile) config.model.name = text;
  return !hostile;
}

bool set_std(Config& config, std::string_view text) {
  // They are used as float32, where a tiny one would be 0.
  return set_per_channel(text, config.dataset.std) &&
         std::all_of(config.dataset.std.begin(), config.dataset.std.end(),
                     [](double value) { return static_cast<float>(value) > 0; });
}

bool set_resolution(Config& config, std::string_view text) {
  constexpr std::int64_t kMaxSide = 16384;
  const auto sides = parse_integers(text, 1, kMaxSide);
  if (!sides || sides->size() != 2) return false;
  config.dataset.image_resolution = {(*sides)[0], (*sides)[1]};
  return true;
}

bool set_layout(Config& config, std::string_view text) {
  constexpr std::string_view kAxes = "NCHW";
  if (text.size() != kAxes.size() || !std::is_permutation(text.begin(), text.end(), kAxes.begin()))
    return false;
  config.dataset.layout = text;
  return true;
}

bool set_channel_swap(Config& config, std::string_view text) {
  const auto order = parse_integers(text, 0, 2);
  constexpr std::int64_t kChannels[] = {0, 1, 2};
  if (!order || order->size() != 3 ||
      !std::is_permutation(order->begin(), order->end(), std::begin(kChannels))) {
    return false;
  }
  std::transform(order->begin(), order->end(), config.dataset.channel_swap.begin(),
                 [](std::int64_t channel) { return static_cast<int>(channel); });
  return true;
}

bool set_calib_mode(Config& config, std::string_view text) {
  static constexpr NamedValue<CalibMode> kValues[] = {{"kl_divergence", CalibMode::kKlDivergence},
                                                      {"global_scale", CalibMode::kGlobalScale},
                                                      {"percentile", CalibMode::kPercentile},
                                                      {"minmax", CalibMode::kMinmax},
                                                      {"mse", CalibMode::kMse}};
  return set_named(kValues, text, config.quantization.calib_mode);
}

bool set_weights_scale(Config& config, std::string_view text) {
  static constexpr NamedValue<WeightsScale> kValues[] = {{"max", WeightsScale::kMax},
                                                         {"power2", WeightsScale::kPower2}};
  return set_named(kValues, text, config.quantization.weights_scale);
}

bool set_granularity(Config& config, std::string_view text) {
  static constexpr NamedValue<WeightGranularity> kValues[] = {
      {"per_channel", WeightGranularity::kPerChannel},
      {"per_tensor", WeightGranularity::kPerTensor}};
  return set_named(kValues, text, config.quantization.weight_granularity.emplace());
}

bool set_rounding(Config& config, std::string_view text) {
  static constexpr NamedValue<WeightRounding> kValues[] = {{"nearest", WeightRounding::kNearest},
                                                           {"gptq", WeightRounding::kGptq}};
  return set_named(kValues, text, config.quantization.weight_rounding.emplace());
}

bool set_wide_layers(Config& config, std::string_view text) {
  auto& wide = config.quantization.wide_layers;
  if (text == "auto") {
    wide.reset();
  } else if (text == "none") {
    wide.emplace();
  } else {
    return assign(wide, parse_patterns(text));
  }
  return true;
}

bool set_partition(Config& config, std::string_view text) {
  static constexpr NamedValue<PartitionConversions> kValues[] = {
      {"disabled", PartitionConversions::kDisabled},
      {"enabled", PartitionConversions::kEnabled},
      {"fully_integral", PartitionConversions::kFullyIntegral}};
  return set_named(kValues, text, config.quantization.partition_conversions);
}

bool set_scheme(Config& config, std::string_view text) {
  static constexpr NamedValue<Scheme> kValues[] = {{"integer", Scheme::kInteger},
                                                   {"tvm", Scheme::kTvm}};
  return set_named(kValues, text, config.quantization.scheme);
}

bool set_target(Config& config, std::string_view text) {
  if (!quant::parse_target(text)) return false;
  config.quantization.target = text;
  return true;
}

bool set_global_scale(Config& config, std::string_view text) {
  const auto scale = parse_number(text);
  return scale && static_cast<float>(*scale) > 0 && assign(config.quantization.global_scale, scale);
}

// clang-format off
constexpr KeyRow kRows[] = {
    {{kModel, "Name", "a file name without path separators", "",
      "Names the output files", true},
     set_name},
    {{kModel, "ModelJson", kPath, "",
      "The network's structure, the `.json` file that TVM wrote", true},
     [](Config& config, std::string_view text) { config.model.model_json = text; return true; }},
    {{kModel, "WeightsParams", kPath, "",
      "The network's weights, the `.params` file that TVM wrote", true},
     [](Config& config, std::string_view text) { config.model.weights_params = text; return true; }},

    {{kDataset, "Name", "any text", "",
      "Appears in messages and reports"},
     [](Config& config, std::string_view text) { config.dataset.name = text; return true; }},
    {{kDataset, "Path", "a folder", "",
      "Holds the images, or `.npy`/`.npz` arrays, to calibrate with; needed by every `CalibMode` "
      "but `global_scale`, unless there is a `CalibrationCache`"},
     [](Config& config, std::string_view text) { config.dataset.path = text; return true; }},
    {{kDataset, "Labels", kPath, "",
      "A list of lines `file label`: with it, the accuracies of both networks on these images are "
      "reported. The files are in the list's folder, in the folder beside it that has its name, or "
      "in `Path`; classes count from 0"},
     [](Config& config, std::string_view text) { config.dataset.labels = text; return true; }},
    {{kDataset, "Mean", kThreeNumbers, "0, 0, 0",
      "Subtracted from each channel of the model's input, in the order after `ChannelSwap`"},
     [](Config& config, std::string_view text) {
       return set_per_channel(text, config.dataset.mean);
     }},
    {{kDataset, "Std", "a list of 1 or 3 numbers greater than 0", "1, 1, 1",
      "What each channel is divided by after `Mean` is subtracted"},
     set_std},
    {{kDataset, "ImageResolution", "a list of 2 whole numbers from 1 to 16384", "",
      "Width, then height, that images are resized to (bilinear, without cropping); needed for "
      "images"},
     set_resolution},
    {{kDataset, "BatchSize", "a whole number from 1 to 65536", "1",
      "Images per batch: the first dimension of the model's input"},
     [](Config& config, std::string_view text) {
       return assign(config.dataset.batch_size, parse_integer(text, 1, 65536));
     }},
    {{kDataset, "Layout", "an order of the letters N, C, H, W", "NCHW",
      "What the dimensions of the model's input are"},
     set_layout},
    {{kDataset, "Normalization", kSwitch, "False",
      "Divides pixels by 255, before `Mean` and `Std`"},
     [](Config& config, std::string_view text) {
       return assign(config.dataset.normalization, parse_switch(text));
     }},
    {{kDataset, "ChannelSwap", "a list of 0, 1 and 2 in any order", "2, 1, 0",
      "Which channel of the decoded image (0 blue, 1 green, 2 red) each channel of the input takes: "
      "`2, 1, 0` for a model trained on RGB, `0, 1, 2` for BGR"},
     set_channel_swap},

    {{kQuantization, "CalibSamples", "a whole number from 1", "128",
      "Images to calibrate with; all of the folder if it has fewer"},
     [](Config& config, std::string_view text) {
       return assign(config.quantization.calib_samples, parse_integer(text, 1, kMany));
     }},
    {{kQuantization, "CalibMode", "kl_divergence, global_scale, percentile, minmax or mse", "mse",
      "How the range of each activation is found: least information lost (`kl_divergence`; in "
      "`Scheme` integer only among ranges of small squared error), one fixed range "
      "(`global_scale`), all but the largest values (`percentile`), the largest value "
      "(`minmax`), least squared error (`mse`)"},
     set_calib_mode},
    {{kQuantization, "WeightsScale", "max or power2", "max",
      "The range of each weight tensor: its largest magnitude, or that rounded up to a power of two"},
     set_weights_scale},
    {{kQuantization, "GlobalScale", "a number greater than 0", "8.0",
      "The range of every activation in the mode `global_scale`"},
     set_global_scale},
    {{kQuantization, "DtypeInput", kDtypes, "int8",
      "The type that activations are stored in where a layer takes them; for integer `int16` gives "
      "every layer that can take it an input of 16 bits"},
     [](Config& config, std::string_view text) {
       return set_dtype(text, config.quantization.dtype_input);
     }},
    {{kQuantization, "DtypeWeight", kDtypes, "int8",
      "The type that weights are stored in"},
     [](Config& config, std::string_view text) {
       return set_dtype(text, config.quantization.dtype_weight);
     }},
    {{kQuantization, "DtypeActivation", kDtypes, "int32",
      "The type that layers accumulate in"},
     [](Config& config, std::string_view text) {
       return set_dtype(text, config.quantization.dtype_activation);
     }},
    {{kQuantization, "PartitionConversions", "disabled, enabled or fully_integral", "disabled",
      "Whether the conversions at the inputs and outputs become functions of their own; "
      "`fully_integral` also refuses a network that keeps floating point in between"},
     set_partition},
    {{kQuantization, "OutputDirectory", "a folder", ".",
      "Where the results go; created if missing. A relative path starts at the working directory"},
     [](Config& config, std::string_view text) {
       config.quantization.output_directory = text;
       return true;
     }},

    {{kQuantization, "Scheme", "integer or tvm", "integer",
      "What is built: `integer` is made for accuracy and for the kernels that TVM has, `tvm` is the "
      "graph that TVM's own quantizer builds, node for node"},
     set_scheme},
    {{kQuantization, "TvmOptLevel", "2 or 3", "",
      "For `Scheme` tvm: TVM's optimisation level before quantization, 2 unless given; 3 also folds "
      "batch normalisation into the weights, which `integer` always does"},
     [](Config& config, std::string_view text) {
       return assign(config.quantization.tvm_opt_level, parse_integer(text, 2, 3));
     }},
    {{kQuantization, "InputName", "a name", "",
      "The model's input that the images go to, if it is not the only one without weights"},
     [](Config& config, std::string_view text) {
       config.quantization.input_name = text;
       return true;
     }},
    {{kQuantization, "Seed", "a whole number from 0", "",
      "Draws a random sample of the folder, the same for the same seed; without it the first files "
      "by name are used"},
     [](Config& config, std::string_view text) {
       return assign(config.quantization.seed, parse_unsigned(text));
     }},
    {{kQuantization, "SkipConvLayers", "a list of whole numbers from 0", "",
      "Convolutions to leave in floating point, counted from 0 in the order of execution; `[]` for "
      "none. Unless given: none, for `Scheme` tvm the first, as TVM does"},
     [](Config& config, std::string_view text) {
       return assign(config.quantization.skip_conv_layers, parse_integers(text, 0, kMany));
     }},
    {{kQuantization, "SkipDenseLayer", kSwitch, "",
      "Leaves fully connected layers in floating point. Unless given: no, for `Scheme` tvm yes, as TVM "
      "does"},
     [](Config& config, std::string_view text) {
       return assign(config.quantization.skip_dense_layer, parse_switch(text));
     }},
    {{kQuantization, "SkipLayers", "a list of layer names or patterns", "",
      "Layers to leave in floating point, by their names in the log and the report, or by the part of "
      "them between quotes; `*` stands for any characters, `?` for one, a backslash takes the next "
      "character as it is. One that matches nothing is an error"},
     [](Config& config, std::string_view text) {
       return assign(config.quantization.skip_layers, parse_patterns(text));
     }},
    {{kQuantization, "WideLayers", "auto, none, or a list of layer names or patterns", "auto",
      "For `Scheme` integer: layers that take their input in 16 bits, as two products of 8 bits, "
      "named as for `SkipLayers`. `auto`: those of whose input calibration saw too little to know "
      "its range, fewer than 4,096 values per channel"},
     set_wide_layers},
    {{kQuantization, "ActivationBits", "a whole number from 2 to 16", "8",
      "Bits of a quantized activation, at most those of `DtypeInput`; for integer at most 8, or 16"},
     [](Config& config, std::string_view text) {
       return assign(config.quantization.activation_bits, parse_integer(text, 2, 16));
     }},
    {{kQuantization, "WeightBits", "a whole number from 2 to 16", "8",
      "Bits of a quantized weight, at most those of `DtypeWeight`; at most 8 for integer"},
     [](Config& config, std::string_view text) {
       return assign(config.quantization.weight_bits, parse_integer(text, 2, 16));
     }},
    {{kQuantization, "Equalization", kSwitch, "",
      "For `Scheme` integer: lets every channel of an activation use all of its 8 bits. Unless given: "
      "yes, if `CalibMode` looks at images"},
     [](Config& config, std::string_view text) {
       return assign(config.quantization.equalization, parse_switch(text));
     }},
    {{kQuantization, "BiasCorrection", kSwitch, "",
      "For `Scheme` integer: moves biases so that the mean of every channel stays what it was. Unless "
      "given: yes, if `CalibMode` looks at images"},
     [](Config& config, std::string_view text) {
       return assign(config.quantization.bias_correction, parse_switch(text));
     }},
    {{kQuantization, "WeightRounding", "nearest or gptq", "",
      "For `Scheme` integer: each weight to the nearest integer, or so that the errors of a layer's "
      "weights make up for each other in its outputs (`gptq`). Unless given: `gptq`, if `CalibMode` "
      "looks at images"},
     set_rounding},
    {{kQuantization, "WeightGranularity", "per_channel or per_tensor", "",
      "For `Scheme` integer: a scale for every output channel of a weight, or one for all of it. "
      "Unless given: `per_channel`; `Scheme` tvm knows only `per_tensor`"},
     set_granularity},
    {{kQuantization, "MaxAccuracyDrop", "a number from 0 to 100", "",
      "For `Scheme` integer, with `Labels`: percentage points of top-1 accuracy that may be lost on "
      "them; the worst layers take 16 bits, or floating point, until no more are"},
     [](Config& config, std::string_view text) {
       const auto points = parse_number(text);
       return points && *points >= 0 && *points <= 100 &&
              assign(config.quantization.max_accuracy_drop, points);
     }},
    {{kQuantization, "MinSqnr", "a number of dB from -100 to 200", "",
      "For `Scheme` integer: the least ratio of signal to quantization noise of every output, on "
      "images that calibration does not use; the worst layers take 16 bits, or floating point, until "
      "it holds"},
     [](Config& config, std::string_view text) {
       const auto decibels = parse_number(text);
       return decibels && *decibels >= -100 && *decibels <= 200 &&
              assign(config.quantization.min_sqnr, decibels);
     }},
    {{kQuantization, "PlanFile", kPath, "",
      "Keeps which layers `MaxAccuracyDrop` or `MinSqnr` gave 16 bits or floating point; if the file "
      "is there, it is used instead of the search. Unless given, a search writes `<Name>.plan.json` "
      "beside the model, which is not read"},
     [](Config& config, std::string_view text) {
       config.quantization.plan_file = text;
       return true;
     }},
    {{kQuantization, "Target", "llvm with -mcpu and -mattr as in TVM", "llvm -mcpu=cascadelake",
      "For `Scheme` integer: the TVM target that the result will be compiled for, an x86 CPU. Without "
      "AVX-512 VNNI or AVX VNNI weights get 7 bits, which TVM's kernels need there; without "
      "AVX-512, and with AMX, matrix products stay float; plain `llvm` has no 8-bit kernels at all"},
     set_target},
    {{kQuantization, "CalibrationCache", kPath, "",
      "Keeps what calibration found in this file, and uses it instead of the images if it is there; "
      "one of another model or preprocessing is refused, one that is not complete is gone on with"},
     [](Config& config, std::string_view text) {
       config.quantization.calibration_cache = text;
       return true;
     }},
};
// clang-format on

}  // namespace

std::span<const KeyRow> config_keys() { return kRows; }

}  // namespace tvmq::driver
