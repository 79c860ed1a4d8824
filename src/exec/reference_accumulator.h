// The type that sums of products are computed in.
#pragma once

#include <cstdint>
#include <type_traits>

#include "exec/reference_cast.h"
#include "exec/reference_dtype.h"

namespace tvmq::exec {

/// `Storage` is the dtype that operands are converted to, `Sum` the type that loops compute in.
/// Signed and unsigned integers of one size are the same bits modulo 2^bits.
template <class StorageType, class SumType>
struct Accumulator {
  using Storage = StorageType;
  using Sum = SumType;

  static const Sum* read(const ir::Tensor& tensor) {
    return reinterpret_cast<const Sum*>(tensor.data<Storage>().data());
  }
  static Sum* write(ir::Tensor& tensor) {
    return reinterpret_cast<Sum*>(tensor.mutable_data<Storage>().data());
  }
};

/// Calls visitor(Accumulator<...>{}) with the accumulator for results of `dtype`.
template <class Visitor>
void visit_accumulator(const KernelCall& call, ir::DType dtype, Visitor&& visitor) {
  if (dtype == ir::DType::kFloat32) {
    visitor(Accumulator<float, float>{});
  } else if (dtype == ir::DType::kFloat64) {
    visitor(Accumulator<double, double>{});
  } else if (!ir::is_integer(dtype)) {
    refuse_dtype(call, dtype);
  } else if (ir::dtype_size(dtype) == 8) {
    visitor(Accumulator<std::int64_t, std::uint64_t>{});
  } else {
    visitor(Accumulator<std::int32_t, std::uint32_t>{});
  }
}

}  // namespace tvmq::exec
