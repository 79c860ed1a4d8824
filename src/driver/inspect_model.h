// What a network is made of, and what would be quantized: the facts behind `inspect`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "driver/config.h"
#include "ir/graph.h"
#include "quant/summary.h"

namespace tvmq::driver {

/// What calls of one operator, or values of one dtype, have in common.
struct Count {
  std::int64_t calls = 0;
  std::int64_t multiply_accumulates = 0;  ///< of one run on one batch
};

/// Constants of one dtype.
struct Constants {
  std::int64_t tensors = 0;
  std::int64_t elements = 0;
  std::int64_t bytes = 0;
};

struct NamedType {
  std::string name;
  std::string type;  ///< "float32(1, 3, 32, 32)"
};

struct LayerCost {
  std::string name;
  std::string op;
  std::string output;        ///< its type
  std::int64_t weights = 0;  ///< elements of its weight; 0 if that is computed from an input
  std::int64_t multiply_accumulates = 0;
  bool integer = false;  ///< multiplies integers
};

/// Of what the output reaches.
struct Inspection {
  std::vector<NamedType> inputs;
  std::vector<NamedType> outputs;
  std::map<std::string, Count> operators;      ///< by TVM's name
  std::map<std::string, Count> dtypes;         ///< by the dtype of the result; "?" if not known
  std::map<std::string, Constants> constants;  ///< by dtype
  std::vector<LayerCost> layers;               ///< in order of execution
  std::int64_t multiply_accumulates = 0;
  std::vector<std::string> unknown_operators;  ///< that this program carries but cannot run
};

/// REQUIRES: the graph is typed.
Inspection inspect_model(const ir::Graph& graph);

/// Whether a convolution or matrix product works on integers: the network is quantized already.
bool multiplies_integers(const ir::Graph& graph);

/// What the scheme would do to each layer of a float network; nothing for a network that
/// multiplies integers already. Throws InputError where quantizing would.
std::optional<std::vector<quant::QuantizationSummary::Layer>> preview_quantization(
    const ir::Graph& graph, const QuantizationConfig& quantization, Log& log);

/// The facts as text for a terminal. `layers`: a line for every layer.
std::string to_text(const Inspection& inspection, bool layers);
/// The facts as JSON.
std::string to_json(const Inspection& inspection,
                    const std::optional<std::vector<quant::QuantizationSummary::Layer>>& preview);

}  // namespace tvmq::driver
