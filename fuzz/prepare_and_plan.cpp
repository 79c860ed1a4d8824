#include "prepare_and_plan.h"

#include "base/log.h"
#include "driver/memory_budget.h"
#include "ir/infer_types.h"
#include "passes/pipeline.h"
#include "quant/integer_scheme.h"
#include "quant/tvm_scheme.h"

namespace tvmq::fuzz {
namespace {

constexpr std::size_t kMostNodes = 400;
constexpr std::uint64_t kMemory = 8'000'000;

}  // namespace

void prepare_and_plan(ir::Graph graph) {
  if (graph.size() > kMostNodes || !graph.has_output()) return;
  ir::infer_types(graph);
  driver::require_memory(graph, kMemory, "input");
  NullLog log;
  try {
    quant::plan_integer(passes::prepare_for_integers(graph, log), {});
  } catch (const InputError&) {  // the other scheme may still like it
  }
  quant::annotate(passes::prepare(graph, passes::TvmOptLevel::k2, log), {});
}

}  // namespace tvmq::fuzz
