// What quantization did to the layers of a network, as data; the log and the report print it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tvmq::quant {

/// What became of one nn.conv1d/2d/3d (also transposed), nn.dense, nn.matmul or nn.batch_matmul.
struct QuantizationSummary {
  struct Layer {
    std::string name;  ///< describe() of the layer: its name if it has one
    std::string op;    ///< "nn.conv2d"
    bool quantized = false;
    std::string reason;  ///< why not; empty if quantized
    bool wide = false;   ///< takes its input in 16 bits, as two products of bytes
  };
  std::vector<Layer> layers;           ///< in visit order
  std::int64_t integer_operators = 0;  ///< calls whose result is of integers
  std::int64_t float_operators = 0;
};

}  // namespace tvmq::quant
