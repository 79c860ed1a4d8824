// The plan of accuracy control as a file: which layers must be more exact than 8 bits, by an input
// of 16 bits or in floating point.
//
//   {
//     "format": "tvm-quantization plan",
//     "version": 2,
//     "graph_hash": "9c1f0e4a2b6d8f3050a7c4e19b2d6f80",
//     "bound": "MinSqnr 22",
//     "wide_layers": ["nn.conv2d 'stem'"],
//     "float_layers": ["nn.dense #0"]
//   }
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace tvmq::quant {

struct AccuracyPlan {
  std::filesystem::path file;
  std::string graph_hash;
  std::string bound;                      ///< for people: what was asked for when it was made
  std::vector<std::string> wide_layers;   ///< names as quant::layer_names() gives them
  std::vector<std::string> float_layers;  ///< likewise
};

/// InputError, with the place: no JSON, not our format or version, a field missing, unknown or of
/// the wrong type, a layer twice.
AccuracyPlan parse_accuracy_plan(std::string_view json, std::string_view name_for_errors);
std::string to_json(const AccuracyPlan& plan);

/// Throws InputError if the plan was made for another model than `bound`, and what parsing throws.
AccuracyPlan read_accuracy_plan(const std::filesystem::path& path, const ir::Graph& bound);

/// Writes plan.file, which appears whole or not at all.
void write_accuracy_plan(const AccuracyPlan& plan);

}  // namespace tvmq::quant
