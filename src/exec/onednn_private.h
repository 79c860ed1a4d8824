// What the onednn_*.cpp files share; the only header that includes oneDNN's.
#pragma once

#include <dnnl.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "exec/onednn.h"

namespace tvmq::exec::onednn {

const dnnl::engine& engine();

dnnl::memory::data_type data_type(ir::DType dtype);

/// (batch, channels, spatial...) whatever the order in the graph.
dnnl::memory::dims canonical_dims(const ir::Shape& shape, std::int64_t channel_axis);
/// A value in canonical order; nothing if the layout has no name in oneDNN.
std::optional<dnnl::memory::desc> describe(const ir::TensorType& type, std::int64_t channel_axis,
                                           MemoryLayout layout);
dnnl::memory::desc describe_any(const ir::TensorType& type, std::int64_t channel_axis);
/// Row-major.
dnnl::memory::desc describe_plain(ir::DType dtype, const ir::Shape& shape);
/// The layout that `desc` stands for; nothing if it is none of ours.
std::optional<MemoryLayout> recognise(const dnnl::memory::desc& desc, const ir::TensorType& type,
                                      std::int64_t channel_axis);

/// A memory of its own with the elements of `source`, which is described by `desc`.
dnnl::memory packed(const ir::Tensor& source, const dnnl::memory::desc& desc,
                    const dnnl::memory::desc& wanted, const dnnl::primitive_attr& attr = {});

struct Argument {
  enum class Source : std::uint8_t { kInput, kOutput, kConstant };
  int id = 0;  ///< DNNL_ARG_...
  Source source = Source::kInput;
  std::size_t index = 0;
  dnnl::memory::desc desc{};  ///< kInput, kOutput
};

/// A primitive and where its arguments come from. The scratchpad is the step's scratch memory.
struct BoundPrimitive {
  dnnl::primitive primitive;
  dnnl::memory::desc scratchpad;
  std::vector<Argument> arguments;
  std::vector<dnnl::memory> constants{};
  std::string description{};
  /// Some kernels split sums among threads, which moves the last bits of their results: those are
  /// made for one thread and run on one.
  bool one_thread = false;
};
std::unique_ptr<const FastKernel> make_kernel(BoundPrimitive bound);

/// No implicit allocations while running.
dnnl::primitive_attr new_attributes();

/// Post operations of a result laid out as `result_desc`; `arguments` get what they read, starting
/// at input `next_input`. Adds to `accumulate_input` in place if it is set.
struct PostOpsBinding {
  std::vector<Argument> arguments{};
  std::vector<dnnl::memory> constants{};
};
PostOpsBinding bind_post_ops(std::span<const PostOp> post, const dnnl::memory::desc& result,
                             std::size_t next_input, bool accumulate, dnnl::primitive_attr& attr);

/// The result of `make`, or the text of oneDNN's error. Throws std::bad_alloc if there is too
/// little memory for the code of its kernels.
FastKernelChoice guarded(const std::function<FastKernelChoice()>& make);

/// Whether int8 products are summed without saturation or scaling on this CPU.
bool has_exact_int8();

}  // namespace tvmq::exec::onednn
