#include "exec/onednn_private.h"

#include <array>
#include <new>

#include "base/memory_limit.h"
#include "exec/thread_count.h"

namespace tvmq::exec::onednn {
namespace {

using dnnl::memory;

/// oneDNN's handles for one step, pointed anew only when a buffer moved.
class PrimitiveState final : public KernelState {
 public:
  explicit PrimitiveState(const BoundPrimitive& bound) : stream(engine()) {
    for (const Argument& argument : bound.arguments) {
      if (argument.source == Argument::Source::kConstant) {
        memories.push_back(bound.constants[argument.index]);
      } else {
        memories.push_back(memory(argument.desc, engine(), nullptr));
      }
      handles.push_back(nullptr);
      arguments.push_back({argument.id, memories.back().get()});
    }
    memories.push_back(memory(bound.scratchpad, engine(), nullptr));
    handles.push_back(nullptr);
    arguments.push_back({DNNL_ARG_SCRATCHPAD, memories.back().get()});
  }

  void point(std::size_t which, const void* pointer) {
    if (handles[which] == pointer) return;
    memories[which].set_data_handle(const_cast<void*>(pointer));  // inputs are only read
    handles[which] = pointer;
  }

  dnnl::stream stream;
  std::vector<memory> memories;
  std::vector<const void*> handles;
  std::vector<dnnl_exec_arg_t> arguments;
};

class PrimitiveKernel final : public FastKernel {
 public:
  explicit PrimitiveKernel(BoundPrimitive bound) : bound_(std::move(bound)) {}

  std::unique_ptr<KernelState> new_state() const override {
    return std::make_unique<PrimitiveState>(bound_);
  }

  void run(const StepBuffers& buffers, KernelState* state) const override {
    auto& mine = static_cast<PrimitiveState&>(*state);
    for (std::size_t i = 0; i < bound_.arguments.size(); ++i) {
      const Argument& argument = bound_.arguments[i];
      if (argument.source == Argument::Source::kInput) {
        mine.point(i, buffers.inputs[argument.index]);
      } else if (argument.source == Argument::Source::kOutput) {
        mine.point(i, buffers.outputs[argument.index]);
      }
    }
    mine.point(bound_.arguments.size(), buffers.scratch);
    const ThreadCount threads(bound_.one_thread ? 1 : omp_get_max_threads());
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(bound_.primitive.get(), mine.stream.get(),
                               static_cast<int>(mine.arguments.size()), mine.arguments.data()),
        "a primitive failed to run");
    mine.stream.wait();
  }

  std::size_t scratch_bytes() const override { return bound_.scratchpad.get_size(); }
  std::size_t constant_bytes() const override {
    std::size_t bytes = 0;
    for (const memory& each : bound_.constants) bytes += each.get_desc().get_size();
    return bytes;
  }
  std::string description() const override { return bound_.description; }

 private:
  BoundPrimitive bound_;
};

std::optional<memory::format_tag> blocked_tag(std::size_t rank, std::int64_t block) {
  using Tag = memory::format_tag;
  constexpr std::array<Tag, 3> kBy4 = {Tag::aBc4b, Tag::aBcd4b, Tag::aBcde4b};
  constexpr std::array<Tag, 3> kBy8 = {Tag::aBc8b, Tag::aBcd8b, Tag::aBcde8b};
  constexpr std::array<Tag, 3> kBy16 = {Tag::aBc16b, Tag::aBcd16b, Tag::aBcde16b};
  if (rank < 3 || rank > 5) return std::nullopt;
  if (block == 4) return kBy4[rank - 3];
  if (block == 8) return kBy8[rank - 3];
  if (block == 16) return kBy16[rank - 3];
  return std::nullopt;
}

memory::dims row_major(const memory::dims& sizes) {
  memory::dims strides(sizes.size(), 1);
  for (std::size_t d = sizes.size(); d-- > 1;) {
    strides[d - 1] = strides[d] * std::max<memory::dim>(sizes[d], 1);
  }
  return strides;
}

bool same_memory(const memory::desc& left, const memory::desc& right) {
  if (left == right) return true;
  // Strides of dimensions of size 1 do not matter.
  const auto& a = left.data;
  const auto& b = right.data;
  if (a.ndims != b.ndims || a.format_kind != dnnl_blocked || b.format_kind != dnnl_blocked ||
      a.extra.flags != 0 || b.extra.flags != 0 || a.data_type != b.data_type ||
      a.format_desc.blocking.inner_nblks != b.format_desc.blocking.inner_nblks) {
    return false;
  }
  const auto& x = a.format_desc.blocking;
  const auto& y = b.format_desc.blocking;
  for (int i = 0; i < x.inner_nblks; ++i) {
    if (x.inner_blks[i] != y.inner_blks[i] || x.inner_idxs[i] != y.inner_idxs[i]) return false;
  }
  for (int d = 0; d < a.ndims; ++d) {
    if (a.dims[d] != b.dims[d] || a.padded_dims[d] != b.padded_dims[d]) return false;
    if (a.padded_dims[d] != 1 && x.strides[d] != y.strides[d]) return false;
  }
  return true;
}

}  // namespace

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

memory::data_type data_type(ir::DType dtype) {
  switch (dtype) {
    case ir::DType::kFloat32:
      return memory::data_type::f32;
    case ir::DType::kInt32:
      return memory::data_type::s32;
    case ir::DType::kInt8:
      return memory::data_type::s8;
    case ir::DType::kUInt8:
      return memory::data_type::u8;
    default:
      return memory::data_type::undef;
  }
}

memory::dims canonical_dims(const ir::Shape& shape, std::int64_t channel_axis) {
  memory::dims dims = {shape[0], shape[channel_axis]};
  for (std::int64_t d = 1; d < static_cast<std::int64_t>(shape.size()); ++d) {
    if (d != channel_axis) dims.push_back(shape[d]);
  }
  return dims;
}

std::optional<memory::desc> describe(const ir::TensorType& type, std::int64_t channel_axis,
                                     MemoryLayout layout) {
  const memory::dims dims = canonical_dims(type.shape, channel_axis);
  const bool channels_last =
      layout.plain() ? channel_axis != 1 : layout.block == type.shape[channel_axis];
  if (!layout.plain() && layout.channel_axis != channel_axis) return std::nullopt;
  if (!layout.plain() && !channels_last) {
    const auto tag = blocked_tag(dims.size(), layout.block);
    if (!tag) return std::nullopt;
    return memory::desc(dims, data_type(type.dtype), *tag);
  }
  if (!channels_last) return memory::desc(dims, data_type(type.dtype), row_major(dims));
  memory::dims reordered = {dims[0]};
  reordered.insert(reordered.end(), dims.begin() + 2, dims.end());
  reordered.push_back(dims[1]);
  const memory::dims own = row_major(reordered);
  memory::dims strides = {own[0], 1};
  strides.insert(strides.end(), own.begin() + 1, own.end() - 1);
  return memory::desc(dims, data_type(type.dtype), strides);
}

memory::desc describe_any(const ir::TensorType& type, std::int64_t channel_axis) {
  return {canonical_dims(type.shape, channel_axis), data_type(type.dtype), memory::format_tag::any};
}

memory::desc describe_plain(ir::DType dtype, const ir::Shape& shape) {
  return {shape, data_type(dtype), row_major(shape)};
}

std::optional<MemoryLayout> recognise(const memory::desc& desc, const ir::TensorType& type,
                                      std::int64_t channel_axis) {
  const std::int64_t channels = type.shape[channel_axis];
  const std::array<MemoryLayout, 5> candidates = {
      MemoryLayout{}, MemoryLayout{.block = channels, .channel_axis = channel_axis},
      MemoryLayout{.block = 16, .channel_axis = channel_axis},
      MemoryLayout{.block = 8, .channel_axis = channel_axis},
      MemoryLayout{.block = 4, .channel_axis = channel_axis}};
  for (const MemoryLayout& candidate : candidates) {
    const auto described = describe(type, channel_axis, candidate);
    if (described && same_memory(*described, desc)) return normalized(candidate, type.shape);
  }
  return std::nullopt;
}

memory packed(const ir::Tensor& source, const memory::desc& desc, const memory::desc& wanted,
              const dnnl::primitive_attr& attr) {
  memory from(desc, engine(), const_cast<std::byte*>(source.bytes()));  // only read
  memory to(wanted, engine());
  dnnl::stream stream(engine());
  dnnl::reorder(dnnl::reorder::primitive_desc(from, to, attr)).execute(stream, from, to);
  stream.wait();
  return to;
}

std::unique_ptr<const FastKernel> make_kernel(BoundPrimitive bound) {
  return std::make_unique<PrimitiveKernel>(std::move(bound));
}

dnnl::primitive_attr new_attributes() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

PostOpsBinding bind_post_ops(std::span<const PostOp> post, const memory::desc& result,
                             std::size_t next_input, bool accumulate, dnnl::primitive_attr& attr) {
  using dnnl::algorithm;
  PostOpsBinding binding;
  dnnl::post_ops ops;
  const auto argument_of = [&] {
    return DNNL_ARG_ATTR_MULTIPLE_POST_OP(ops.len()) | DNNL_ARG_SRC_1;
  };
  for (const PostOp& each : post) {
    switch (each.kind) {
      case PostOp::Kind::kRelu:
        ops.append_eltwise(1.0F, algorithm::eltwise_relu, each.alpha, 0.0F);
        break;
      case PostOp::Kind::kClip:
        ops.append_eltwise(1.0F, algorithm::eltwise_clip, each.alpha, each.beta);
        break;
      case PostOp::Kind::kSigmoid:
        ops.append_eltwise(1.0F, algorithm::eltwise_logistic, 0.0F, 0.0F);
        break;
      case PostOp::Kind::kTanh:
        ops.append_eltwise(1.0F, algorithm::eltwise_tanh, 0.0F, 0.0F);
        break;
      case PostOp::Kind::kSwish:
        ops.append_eltwise(1.0F, algorithm::eltwise_swish, 1.0F, 0.0F);
        break;
      case PostOp::Kind::kHardSwish:
        ops.append_eltwise(1.0F, algorithm::eltwise_hardswish, 0.0F, 0.0F);
        break;
      case PostOp::Kind::kMultiply:
      case PostOp::Kind::kAdd: {
        memory::dims dims(result.dims().size(), 1);
        dims[1] = static_cast<memory::dim>(each.channels.size());
        const memory::desc desc(dims, memory::data_type::f32, row_major(dims));
        const ir::Tensor channels = ir::Tensor::from<float>({dims[1]}, each.channels);
        binding.arguments.push_back({.id = argument_of(),
                                     .source = Argument::Source::kConstant,
                                     .index = binding.constants.size()});
        binding.constants.push_back(packed(channels, desc, desc));
        const bool product = each.kind == PostOp::Kind::kMultiply;
        ops.append_binary(product ? algorithm::binary_mul : algorithm::binary_add, desc);
        break;
      }
      case PostOp::Kind::kAddValue:
        if (accumulate) {
          ops.append_sum(1.0F);
        } else {
          binding.arguments.push_back({.id = argument_of(),
                                       .source = Argument::Source::kInput,
                                       .index = next_input,
                                       .desc = result});
          ops.append_binary(algorithm::binary_add, result);
        }
        ++next_input;
        break;
    }
  }
  attr.set_post_ops(ops);
  return binding;
}

FastKernelChoice guarded(const std::function<FastKernelChoice()>& make) {
  // It writes the code of a kernel wherever its allocation said, which may be nowhere. A
  // convolution may have dozens of kernels, of 256 kB each.
  constexpr std::size_t kCodeBytes = std::size_t{32} << 20;
  if (!has_room(kCodeBytes)) throw std::bad_alloc();
  try {
    return make();
  } catch (const dnnl::error& error) {
    // Not a reason to compute the layer otherwise.
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    return std::string("oneDNN: ") + error.what();
  }
}

bool has_exact_int8() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::avx512_core_vnni:
    case dnnl::cpu_isa::avx512_core_bf16:
    case dnnl::cpu_isa::avx512_core_amx:
    case dnnl::cpu_isa::avx2_vnni:
      return true;
    default:
      return false;
  }
}

}  // namespace tvmq::exec::onednn
