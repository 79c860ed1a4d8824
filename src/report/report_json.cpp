// The file format of reports: docs/report.md.
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "report/report.h"

namespace tvmq::report {
namespace {

constexpr std::string_view kFormat = "tvm-quantization report";
constexpr int kVersion = 1;

void write_optional(JsonWriter& json, std::string_view name,
                    const std::optional<std::size_t>& index) {
  json.key(name);
  index ? json.value(*index) : json.null();
}

/// One field that is null or an object.
template <class T, class Write>
void write_object(JsonWriter& json, std::string_view name, const std::optional<T>& object,
                  Write write) {
  json.key(name);
  if (!object) {
    json.null();
    return;
  }
  json.begin_object();
  write(*object);
  json.end_object();
}

template <class T, class Write>
void write_objects(JsonWriter& json, std::string_view name, const std::vector<T>& objects,
                   Write write) {
  json.key(name).begin_array();
  for (const T& object : objects) {
    json.begin_object();
    write(object);
    json.end_object();
  }
  json.end_array();
}

void write_model(JsonWriter& json, const Model& model) {
  json.key("model").begin_object();
  json.field("name", model.name).field("json", model.json).field("params", model.params);
  write_objects(json, "inputs", model.inputs, [&](const Input& input) {
    json.field("name", input.name).field("shape", input.shape).field("dtype", input.dtype);
  });
  json.field("weights", model.weights).field("macs", model.macs);
  json.end_object();
}

void write_configuration(JsonWriter& json, const Report& report) {
  json.key("configuration").begin_object();
  for (const auto& [name, value] : report.configuration) json.field(name, value);
  json.end_object();
}

void write_verdict(JsonWriter& json, const Verdict& verdict) {
  json.key("verdict").begin_object();
  json.field("status", status_name(verdict.status)).field("summary", verdict.summary);
  json.field("advice", verdict.advice);
  json.end_object();
}

void write_calibration(JsonWriter& json, const Calibration& calibration) {
  json.key("calibration").begin_object();
  json.field("mode", calibration.mode).field("samples", calibration.samples);
  json.field("skipped", calibration.skipped).field("seconds", calibration.seconds);
  json.end_object();
}

void write_verification(JsonWriter& json, const Verification& verification) {
  json.field("images", verification.images).field("source", verification.source);
  json.field("top1_agreement", verification.top1_agreement);
  json.field("top5_agreement", verification.top5_agreement);
  write_objects(json, "outputs", verification.outputs, [&](const Output& output) {
    json.field("name", output.name).field("sqnr_db", output.sqnr_db);
    json.field("cosine", output.cosine).field("max_abs_error", output.max_abs_error);
  });
}

void write_share(JsonWriter& json, const std::string& name, const Share& share) {
  json.field(name, share.value).field(name + "_low", share.low).field(name + "_high", share.high);
}

void write_accuracy(JsonWriter& json, const Accuracy& accuracy) {
  json.field("images", accuracy.images);
  const auto write = [&](std::string_view name, const TopShares& shares) {
    json.key(name).begin_object();
    write_share(json, "top1", shares.top1);
    write_share(json, "top5", shares.top5);
    json.end_object();
  };
  write("float", accuracy.of_float);
  write("integer", accuracy.of_integer);
  json.key("difference").begin_object();
  json.field("top1", accuracy.difference.value).field("low", accuracy.difference.low);
  json.field("high", accuracy.difference.high).end_object();
  write_objects(json, "flipped", accuracy.flipped, [&](const FlippedImage& image) {
    json.field("file", image.file).field("label", image.label);
    json.field("float", image.of_float).field("integer", image.of_integer);
  });
}

void write_layer(JsonWriter& json, const Layer& layer) {
  json.field("name", layer.name).field("op", layer.op).field("integer", layer.integer);
  json.field("wide", layer.wide);
  json.field("reason", layer.reason).field("output_shape", layer.output_shape);
  json.field("macs", layer.macs).field("weights", layer.weights);
  json.field("bytes_float", layer.bytes_float).field("bytes_integer", layer.bytes_integer);
  json.field("accumulated_sqnr_db", layer.accumulated_sqnr_db);
  json.field("isolated_sqnr_db", layer.isolated_sqnr_db);
  json.field("weight_sqnr_db", layer.weight_sqnr_db);
  json.field("activation_sqnr_db", layer.activation_sqnr_db);
  json.field("skip_line", layer.skip_line);
  write_object(json, "weight_range", layer.weight_range,
               [&](const Range& range) { json.field("low", range.low).field("high", range.high); });
}

void write_activation(JsonWriter& json, const Activation& activation) {
  json.field("name", activation.name);
  write_optional(json, "layer", activation.layer);
  write_optional(json, "node", activation.node);
  json.field("scale", activation.scale).field("zero_point", activation.zero_point);
  json.field("low", activation.low).field("high", activation.high);
  json.field("observed_low", activation.observed_low);
  json.field("observed_high", activation.observed_high);
  json.field("saturated", activation.saturated);
  write_object(json, "histogram", activation.histogram, [&](const Histogram& histogram) {
    check(histogram.counts.size() <= kMostHistogramBins, "few bins");
    json.field("low", histogram.low).field("high", histogram.high);
    json.field("counts", histogram.counts);
  });
}

void write_operations(JsonWriter& json, const Operations& operations) {
  json.key("operations").begin_object();
  json.field("integer_macs", operations.integer_macs).field("float_macs", operations.float_macs);
  json.field("integer_operators", operations.integer_operators);
  json.field("float_operators", operations.float_operators);
  json.field("integer_bytes", operations.integer_bytes);
  json.field("float_bytes", operations.float_bytes);
  json.end_object();
}

void write_sizes(JsonWriter& json, const Sizes& sizes) {
  json.key("sizes").begin_object();
  json.field("float_json", sizes.float_json).field("float_params", sizes.float_params);
  json.field("integer_json", sizes.integer_json).field("integer_params", sizes.integer_params);
  json.end_object();
}

void write_latency(JsonWriter& json, const Latency& latency) {
  json.field("threads", latency.threads);
  const auto write = [&](std::string_view name, const Times& times) {
    json.key(name).begin_object();
    json.field("median_ms", times.median_ms).field("min_ms", times.min_ms);
    json.field("p90_ms", times.p90_ms).end_object();
  };
  write("float", latency.of_float);
  write("integer", latency.of_integer);
  write_objects(json, "operators", latency.operators, [&](const OperatorTime& each) {
    json.field("name", each.name).field("op", each.op);
    json.field("float_us", each.float_us).field("integer_us", each.integer_us);
  });
}

void write_graph(JsonWriter& json, const std::vector<GraphNode>& graph) {
  json.key("graph").begin_object();
  write_objects(json, "nodes", graph, [&](const GraphNode& node) {
    json.field("name", node.name).field("op", node.op);
    json.field("domain", node.integer ? "integer" : "float").field("inputs", node.inputs);
    write_optional(json, "layer", node.layer);
  });
  json.end_object();
}

void write_accuracy_control(JsonWriter& json, const AccuracyControl& control) {
  json.field("bound", control.bound);
  write_objects(json, "steps", control.steps, [&](const ControlStep& step) {
    json.field("layer", step.layer).field("kept", step.kept);
    json.field("gain", step.gain).field("cost", step.cost);
  });
}

}  // namespace

std::string status_name(Status status) {
  switch (status) {
    case Status::kGood:
      return "good";
    case Status::kBad:
      return "bad";
    case Status::kUnchecked:
      return "unchecked";
  }
  throw InternalError("unknown status");
}

std::string to_json(const Report& report) {
  std::string text;
  JsonWriter json(text);
  const auto with = [&](auto write) {
    return [&json, write](const auto& object) { write(json, object); };
  };
  json.begin_object();
  json.field("format", kFormat).field("version", kVersion).field("program", report.program);
  write_model(json, report.model);
  write_configuration(json, report);
  json.field("scheme", report.scheme);
  write_verdict(json, report.verdict);
  write_calibration(json, report.calibration);
  write_object(json, "verification", report.verification, with(write_verification));
  write_object(json, "accuracy", report.accuracy, with(write_accuracy));
  write_objects(json, "layers", report.layers, with(write_layer));
  write_objects(json, "activations", report.activations, with(write_activation));
  write_operations(json, report.operations);
  write_sizes(json, report.sizes);
  write_object(json, "latency", report.latency, with(write_latency));
  write_graph(json, report.graph);
  write_object(json, "accuracy_control", report.accuracy_control, with(write_accuracy_control));
  json.end_object();
  return text;
}

void write_json(const Report& report, const std::filesystem::path& path) {
  AtomicFile file(path);
  file.write(to_json(report));
  file.commit();
}

}  // namespace tvmq::report
