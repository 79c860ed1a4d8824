// What a run of the program found out, as plain data: <Name>.report.json is this, and
// <Name>.report.html draws it. docs/report.md describes every field for the readers of the files.
//
// Shares are 0..1, SQNR in dB, times as their names say. A number that is unknown or not finite is
// NaN here and null in the file. Everything is in execution order.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tvmq::report {

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// An input of the network.
struct Input {
  std::string name = {};
  std::vector<std::int64_t> shape = {};  ///< -1: open
  std::string dtype = {};
};

struct Model {
  std::string name = {};
  std::string json = {};  ///< the files as they were found
  std::string params = {};
  std::vector<Input> inputs = {};
  std::int64_t weights = 0;  ///< elements of constants
  std::int64_t macs = 0;     ///< multiply-accumulates of one run on one batch
};

enum class Status : std::uint8_t {
  kGood,
  kBad,       ///< the program exits with a code of its own
  kUnchecked  ///< no sample to run the networks on
};

struct Verdict {
  Status status = Status::kUnchecked;
  std::string summary = {};              ///< one sentence
  std::vector<std::string> advice = {};  ///< what would help, most useful first
};

struct Calibration {
  std::string mode = {};     ///< as in CalibMode
  std::int64_t samples = 0;  ///< images or arrays, not batches
  std::int64_t skipped = 0;  ///< that could not be read
  double seconds = 0;
};

struct Output {
  std::string name = {};
  double sqnr_db = kUnknown;
  double cosine = kUnknown;
  double max_abs_error = kUnknown;
};

/// Float and integer network on the same images.
struct Verification {
  std::int64_t images = 0;
  std::string source = {};  ///< "held out", "labelled" or "calibration"
  /// Shares of images; unknown for networks whose first output is not one number per class.
  double top1_agreement = kUnknown;
  double top5_agreement = kUnknown;
  std::vector<Output> outputs = {};
};

/// A share with its 95 % interval.
struct Share {
  double value = kUnknown;
  double low = kUnknown;
  double high = kUnknown;
};
struct TopShares {
  Share top1 = {};
  Share top5 = {};
};
struct FlippedImage {
  std::string file = {};
  std::int64_t label = 0;
  std::int64_t of_float = 0;  ///< the class that the float network sees
  std::int64_t of_integer = 0;
};
struct Accuracy {
  std::int64_t images = 0;
  TopShares of_float = {};
  TopShares of_integer = {};
  Share difference = {};  ///< top-1, integer - float, of the same images
  std::vector<FlippedImage> flipped = {};
};

struct Range {
  std::vector<float> low = {};
  std::vector<float> high = {};
};

/// A layer with weights, or what else multiplies matrices.
struct Layer {
  std::string name = {};
  std::string op = {};
  bool integer = false;
  bool wide = false;        ///< takes its input in 16 bits, as two products of 8 bits
  std::string reason = {};  ///< why it stays float; empty if it does not
  std::vector<std::int64_t> output_shape = {};
  std::int64_t macs = 0;
  std::int64_t weights = 0;
  std::int64_t bytes_float = 0;  ///< of its weights
  std::int64_t bytes_integer = 0;
  double accumulated_sqnr_db = kUnknown;   ///< its output in the two networks
  double isolated_sqnr_db = kUnknown;      ///< its output if nothing else were quantized
  double weight_sqnr_db = kUnknown;        ///< ... if only its weights were
  double activation_sqnr_db = kUnknown;    ///< ... if only its input were
  std::string skip_line = {};              ///< what to write into SkipLayers
  std::optional<Range> weight_range = {};  ///< per output channel
};

struct Histogram {
  double low = 0;   ///< left edge of the first bin
  double high = 0;  ///< right edge of the last
  std::vector<std::uint64_t> counts = {};
};
inline constexpr std::size_t kMostHistogramBins = 128;

/// A value that is stored as integers.
struct Activation {
  std::string name = {};
  std::optional<std::size_t> layer = {};  ///< index of the layer whose output it is
  std::optional<std::size_t> node = {};   ///< index of the node of the graph that computes it
  double scale = kUnknown;
  std::int64_t zero_point = 0;
  double low = kUnknown;  ///< what the integers cover
  double high = kUnknown;
  double observed_low = kUnknown;
  double observed_high = kUnknown;
  double saturated = kUnknown;  ///< share of elements outside [low, high]
  std::optional<Histogram> histogram = {};
};

/// The quantized network, by where it computes.
struct Operations {
  std::int64_t integer_macs = 0;
  std::int64_t float_macs = 0;
  std::int64_t integer_operators = 0;  ///< calls whose result is of integers
  std::int64_t float_operators = 0;
  std::int64_t integer_bytes = 0;  ///< of constants
  std::int64_t float_bytes = 0;
};

/// Of files, in bytes.
struct Sizes {
  std::int64_t float_json = 0;
  std::int64_t float_params = 0;
  std::int64_t integer_json = 0;
  std::int64_t integer_params = 0;
};

struct Times {
  double median_ms = kUnknown;
  double min_ms = kUnknown;
  double p90_ms = kUnknown;
};
struct OperatorTime {
  std::string name = {};
  std::string op = {};
  double float_us = kUnknown;
  double integer_us = kUnknown;
};
/// In this program's own executor.
struct Latency {
  int threads = 1;
  Times of_float = {};
  Times of_integer = {};
  std::vector<OperatorTime> operators = {};
};

struct GraphNode {
  std::string name = {};
  std::string op = {};
  bool integer = false;
  std::vector<std::size_t> inputs = {};   ///< indices of nodes before it
  std::optional<std::size_t> layer = {};  ///< index of a layer
};

struct ControlStep {
  std::string layer = {};
  std::string kept = {};  ///< "float" or "16 bits"
  std::string gain = {};
  std::string cost = {};
};
struct AccuracyControl {
  std::string bound = {};
  std::vector<ControlStep> steps = {};
};

struct Report {
  std::string program = {};  ///< "quantization_tvm 0.1.0"
  Model model = {};
  std::vector<std::pair<std::string, std::string>> configuration =
      {};                   ///< "Group/Key" and its value
  std::string scheme = {};  ///< "integer" or "tvm"
  Verdict verdict = {};
  Calibration calibration = {};
  std::optional<Verification> verification = {};
  std::optional<Accuracy> accuracy = {};
  std::vector<Layer> layers = {};
  std::vector<Activation> activations = {};
  Operations operations = {};
  Sizes sizes = {};
  std::optional<Latency> latency = {};
  std::vector<GraphNode> graph = {};  ///< the float network as it was quantized
  std::optional<AccuracyControl> accuracy_control = {};
};

/// "good", "bad", "unchecked".
std::string status_name(Status status);

/// The text of <Name>.report.json; the same report gives the same bytes.
std::string to_json(const Report& report);

/// Writes to_json(); the file appears whole or not at all. Throws InputError if it cannot.
void write_json(const Report& report, const std::filesystem::path& path);

}  // namespace tvmq::report
