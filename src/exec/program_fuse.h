// Second stage of a program: which operators run together as one step.
#pragma once

#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "exec/program_values.h"

namespace tvmq::exec {

/// What happens to an element of a contraction's result before it is stored.
struct PostOp {
  enum class Kind : std::uint8_t {
    kRelu,  ///< x >= 0 ? x : alpha * x
    kClip,  ///< to [alpha, beta]
    kSigmoid,
    kTanh,
    kSwish,      ///< x * sigmoid(x)
    kHardSwish,  ///< x * clip(x + 3, 0, 6) / 6
    kMultiply,   ///< by a number per channel
    kAdd,        ///< a number per channel
    kAddValue,   ///< an element of another value of the same type
  };
  Kind kind = Kind::kRelu;
  float alpha = 0;
  float beta = 0;
  std::vector<float> channels{};  ///< kMultiply, kAdd
  ValueId value = kNoValue;       ///< kAddValue
};

/// As many as oneDNN takes; one more, and it says that it has no memory.
inline constexpr std::size_t kMostPostOps = 32;

/// Element by element operators with results of one shape; the last one's result is stored.
struct ElementwiseStep {
  std::vector<std::uint32_t> calls{};  ///< ascending
  ValueId output = kNoValue;
};

/// A convolution or a dense layer with constant weights and what follows it:
/// post(data * (weights * scale) + bias), or epilogue(data * weights) of integers.
struct ContractionStep {
  std::uint32_t call = 0;               ///< the contraction itself
  std::vector<std::uint32_t> calls{};   ///< all of them, ascending
  ValueId data = kNoValue;              ///< the operand, or what an absorbed nn.pad pads
  std::vector<std::int64_t> padding{};  ///< of an absorbed nn.pad, as in the operator's attributes
  std::int64_t pad_value = 0;           ///< what it pads with; not 0: by loops of our own
  bool direct = false;                  ///< if of integers: by loops of our own, if they can
  std::vector<float> scale{};           ///< per output channel; empty: 1
  std::vector<float> bias{};            ///< per output channel; empty: 0
  std::vector<PostOp> post{};
  ValueId output = kNoValue;
  /// Behind int32 sums: operators that nothing else than this step gives `output` to. It is their
  /// result that is stored.
  std::optional<ElementwiseStep> epilogue{};
  /// Only with an epilogue, in front of a pointwise convolution: operators that make `data` for it
  /// and for nothing else.
  std::optional<ElementwiseStep> prologue{};
};

/// Any other operator.
struct SingleStep {
  std::uint32_t call = 0;
  /// A cast of 8-bit values to int32 in front of a sum, which reads what the cast reads.
  std::optional<std::uint32_t> cast{};
};

using FusedStep = std::variant<ContractionStep, ElementwiseStep, SingleStep>;

/// Every call is in exactly one step; operands come before their users. A value that is kept or
/// used twice is never inside a step.
///
///   conv2d -> multiply(const) -> add(const) -> add(y) -> relu      one contraction
///   conv2d (int8 -> int32) -> add(bias) -> cast -> multiply -> ...   one contraction, an epilogue
///   add(1) -> right_shift -> clip -> cast                          one elementwise step
///
/// `direct`: integer convolutions and dense layers by loops of our own wherever they can, instead
/// of oneDNN's kernels.
std::vector<FusedStep> fuse(const ir::Graph& graph, const LiveValues& live, bool direct);

/// `constant` as one float per index of dimension `axis` of a result of `shape` that it broadcasts
/// to; nothing if it is not float32 or varies along another dimension.
std::optional<std::vector<float>> per_channel(const ir::Tensor& constant, const ir::Shape& shape,
                                              std::size_t axis);

}  // namespace tvmq::exec
