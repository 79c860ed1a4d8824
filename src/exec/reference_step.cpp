#include "exec/reference_step.h"

#include <cstring>
#include <utility>

#include "exec/reference_kernels.h"

namespace tvmq::exec {
namespace {

class ReferenceStep final : public FastKernel {
 public:
  ReferenceStep(const ir::Graph& graph, const LiveValues& live, const Call& call)
      : sizes_(call.operand_sizes) {
    std::vector<ir::NodeId> operands;
    std::size_t next = 0;
    for (const std::size_t size : sizes_) {
      std::vector<ir::NodeId> fields;
      for (std::size_t i = 0; i < size; ++i) {
        const Value& value = live[call.inputs[next++]];
        types_.push_back(value.type);
        constants_.push_back(value.constant);
        fields.push_back(graph_.add_input({}, value.type));
      }
      const bool tuple = std::holds_alternative<ir::TupleType>(
          graph[graph[call.node].inputs[operands.size()]].type);
      operands.push_back(tuple ? graph_.add_tuple(std::move(fields)) : fields.at(0));
    }
    node_ = graph_.add_copy(graph[call.node], std::move(operands));
  }

  void run(const StepBuffers& buffers, KernelState* /*state*/) const override {
    std::vector<std::vector<ir::Tensor>> operands;
    std::size_t next = 0;
    std::size_t input = 0;
    for (const std::size_t size : sizes_) {
      auto& operand = operands.emplace_back();
      for (std::size_t i = 0; i < size; ++i, ++next) {
        if (!constants_[next].empty()) {
          operand.push_back(constants_[next]);
        } else {
          // evaluate() reads its operands only.
          operand.push_back(ir::Tensor::borrowed(types_[next].dtype, types_[next].shape,
                                                 const_cast<std::byte*>(buffers.inputs[input++])));
        }
      }
    }
    const std::vector<ir::Tensor> results = evaluate(graph_, node_, operands);
    for (std::size_t i = 0; i < buffers.outputs.size(); ++i) {
      std::memcpy(buffers.outputs[i], results.at(i).bytes(), results[i].byte_size());
    }
  }
  std::string description() const override { return "reference kernel"; }

 private:
  ir::Graph graph_;
  ir::NodeId node_ = 0;
  std::vector<std::size_t> sizes_;
  std::vector<ir::TensorType> types_;
  std::vector<ir::Tensor> constants_;
};

}  // namespace

std::unique_ptr<const FastKernel> make_reference_step(const ir::Graph& graph,
                                                      const LiveValues& live, const Call& call) {
  return std::make_unique<ReferenceStep>(graph, live, call);
}

}  // namespace tvmq::exec
