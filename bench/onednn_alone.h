// The layers of a network as a program of nothing but oneDNN primitives would run them: each in the
// layout it likes best, with activations and sums fused where oneDNN can, results and operands in
// two buffers that take turns, nothing converted between them. What a forward pass is held against.
//
// Integer contractions are (u)int8 by int8 to what their epilogue stores, with oneDNN's own output
// scales per channel, bias and rounding: the times are comparable, the numbers are not.
//
// Counted: convolutions and dense layers with what follows them inside their kernel, pooling and
// means over pixels, element by element operators, channel shuffles. Not counted, since it moves
// values that a layout could keep in place: concatenation, splitting, padding, reshaping.
#pragma once

#include <array>
#include <cstddef>
#include <dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "exec/program_fuse.h"
#include "exec/program_values.h"
#include "ir/graph.h"

namespace tvmq {

class OneDnnAlone {
 public:
  /// Batch 1, float32 or of the integer scheme. The graph must be typed.
  explicit OneDnnAlone(const ir::Graph& graph);
  void run();

 private:
  using memory = dnnl::memory;
  struct Layer {
    dnnl::primitive primitive;
    std::unordered_map<int, memory> arguments;
  };

  void add(const exec::ContractionStep& step);
  [[nodiscard]] dnnl::primitive_attr integer_attributes(const exec::ContractionStep& step,
                                                        const ir::TensorType& result) const;
  void add(const exec::ElementwiseStep& step);
  void add_operator(const exec::Call& call);
  void add_elementwise(const exec::Call& call, dnnl::algorithm algorithm, float alpha, float beta);
  void add_binary(const exec::Call& call, dnnl::algorithm algorithm);
  void add_pooling(const exec::Call& call, dnnl::algorithm algorithm,
                   const std::vector<std::int64_t>& kernel,
                   const std::vector<std::int64_t>& strides,
                   const std::vector<std::int64_t>& padding);
  void add_shuffle(const exec::Call& call);

  template <class Primitive>
  void add_layer(const typename Primitive::primitive_desc& pd,
                 std::unordered_map<int, memory> constants);
  /// Floats in blocks of 16 channels, integers with their channels last.
  [[nodiscard]] memory::desc blocked(const ir::TensorType& type) const;
  memory activation(const memory::desc& desc, std::size_t which);
  memory zeros(const memory::desc& desc);

  const ir::Graph& graph_;
  exec::LiveValues live_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  bool integer_;  ///< whether the graph computes on bytes
  std::array<std::vector<std::byte>, 2> buffers_;
  std::vector<Layer> layers_;
};

}  // namespace tvmq
