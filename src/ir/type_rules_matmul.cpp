#include <fmt/format.h>

#include <algorithm>

#include "ir/type_rules.h"

namespace tvmq::ir {
namespace {

DType or_else(DType dtype, DType fallback) { return dtype == DType::kVoid ? fallback : dtype; }

/// nn.dense is nn.matmul with a transposed weight. Every dimension of the data in front of the last
/// is a batch dimension; a transposed left side swaps the last two.
Type product_type(const RuleCall& call, OptionalInt units, DType out_dtype, bool transpose_a,
                  bool transpose_b) {
  const TensorType& data = call.tensor(0);
  const TensorType& weight = call.tensor(1);
  const std::size_t rank = data.shape.size();
  if (rank < (transpose_a ? 2U : 1U)) {
    call.fail(fmt::format("data is {}, expected at least {} dimensions", to_string(data),
                          transpose_a ? 2 : 1));
  }
  if (units) call.bounded(*units, 0, kMaxExtent, "units");
  if (weight.shape.size() != 2) {
    call.fail(fmt::format("weight is {}, expected 2 dimensions", to_string(weight)));
  }
  const std::int64_t inner = transpose_a ? data.shape[rank - 2] : data.shape[rank - 1];
  const std::int64_t columns = units.value_or(weight.shape[transpose_b ? 0 : 1]);
  call.require_type(1, {weight.dtype, transpose_b ? Shape{columns, inner} : Shape{inner, columns}},
                    "weight");
  Shape shape = data.shape;
  if (transpose_a) shape[rank - 2] = data.shape[rank - 1];
  shape[rank - 1] = columns;
  return TensorType{or_else(out_dtype, data.dtype), std::move(shape)};
}

}  // namespace

Type dense_type(const RuleCall& call) {
  const auto& attrs = call.attrs<DenseAttrs>();
  return product_type(call, attrs.units, attrs.out_dtype, false, true);
}

Type matmul_type(const RuleCall& call) {
  const auto& attrs = call.attrs<MatmulAttrs>();
  return product_type(call, attrs.units, attrs.out_dtype, attrs.transpose_a, attrs.transpose_b);
}

Type batch_matmul_type(const RuleCall& call) {
  const auto& attrs = call.attrs<BatchMatmulAttrs>();
  const TensorType& left = call.tensor(0);
  const TensorType& right = call.tensor(1);
  if (left.shape.size() != 3 || right.shape.size() != 3) {
    call.fail(fmt::format("operands are {} and {}, expected 3 dimensions each", to_string(left),
                          to_string(right)));
  }
  const std::int64_t left_batch = left.shape[0];
  const std::int64_t right_batch = right.shape[0];
  const std::int64_t left_inner = left.shape[attrs.transpose_a ? 1 : 2];
  const std::int64_t right_inner = right.shape[attrs.transpose_b ? 2 : 1];
  const bool batches_fit = fits(left_batch, right_batch) || left_batch == 1 || right_batch == 1;
  if (!batches_fit || !fits(left_inner, right_inner)) {
    call.fail(fmt::format(
        "{}{} and {}{} cannot be multiplied, batches should be equal or 1 and inner dimensions "
        "equal",
        to_string(left), attrs.transpose_a ? " transposed" : "", to_string(right),
        attrs.transpose_b ? " transposed" : ""));
  }
  const bool open = left_batch == kDynamicDim || right_batch == kDynamicDim;
  // An empty batch stays empty beside a batch of one.
  const std::int64_t batch = open ? kDynamicDim : left_batch == 1 ? right_batch : left_batch;
  return TensorType{
      or_else(attrs.out_dtype, left.dtype),
      {batch, left.shape[attrs.transpose_a ? 2 : 1], right.shape[attrs.transpose_b ? 1 : 2]}};
}

}  // namespace tvmq::ir
