// The passes as a table, the order TVM runs them in, and the runner that watches them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "base/log.h"
#include "ir/graph.h"
#include "passes/passes.h"

namespace tvmq::passes {

/// TVM's optimisation level. It decides which passes run: at 2, what TVM does unless told
/// otherwise, scales are not folded and bias_add stays (relay_quantize.md 2.1).
enum class TvmOptLevel : std::uint8_t { k2 = 2, k3 = 3 };

struct Pass {
  std::string_view name;     ///< TVM's
  std::string_view summary;  ///< one line
  TvmOptLevel from_level;    ///< the lowest level it runs at
  ir::Graph (*run)(const ir::Graph& graph, ScaleFolding folding);
};

/// Every pass, in the order of its first use.
std::span<const Pass> pass_table();

/// TVM's prerequisite_optimize: what the quantizer expects to find.
///
///   SimplifyInference      batch_norm is arithmetic now
///   FoldConstant           its scale and shift are constants: the next two look at them
///   BackwardFoldScaleAxis  conv-bn: the scale goes into the weight
///   ForwardFoldScaleAxis   bn-relu-conv: likewise, for what the former could not take
///   FoldConstant           weights are constants again
///   CanonicalizeOps        bias_add is add
///   FoldConstant           its bias is a constant again
///
/// `bound` is a graph whose parameters are constants already. Types are inferred, the graph is
/// verified before the first pass and after each one; a debug line says what each pass did.
///
/// Throws InputError if `bound` itself is ill-typed, InternalError naming the pass that broke it.
ir::Graph prepare(const ir::Graph& bound, TvmOptLevel level, Log& log,
                  ScaleFolding folding = ScaleFolding::kAsTvm);

/// What the `integer` scheme expects to find: prepare() at level 3 with ScaleFolding::kSafe, and
///
///   ConvertLayout          NHWC is NCHW: TVM has 8-bit kernels for no other layout
///   FoldConstant           weights are constants again
ir::Graph prepare_for_integers(const ir::Graph& bound, Log& log);

}  // namespace tvmq::passes
