#include "ir/tensor.h"

#include <fmt/format.h>

#include <cstring>
#include <new>
#include <utility>

namespace tvmq::ir {
namespace {

constexpr std::align_val_t kAlignment{64};

std::shared_ptr<std::byte[]> allocate(std::size_t bytes) {
  // At least one byte, so that data() of an empty tensor is a valid pointer.
  auto* raw =
      static_cast<std::byte*>(::operator new[](std::max<std::size_t>(bytes, 1), kAlignment));
  return {raw, [](std::byte* pointer) { ::operator delete[](pointer, kAlignment); }};
}

}  // namespace

std::optional<std::int64_t> element_count(std::span<const std::int64_t> shape) {
  std::int64_t count = 1;
  bool has_zero = false;
  for (const std::int64_t dim : shape) {
    if (dim < 0) return std::nullopt;
    if (dim == 0) {
      has_zero = true;
    } else if (__builtin_mul_overflow(count, dim, &count)) {
      return std::nullopt;
    }
  }
  return has_zero ? 0 : count;
}

std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += shape[i] == kDynamicDim ? "?" : fmt::format("{}", shape[i]);
  }
  return text + ")";
}

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)) {
  const auto count = element_count(shape_);
  check(count.has_value() && dtype != DType::kVoid, "a tensor needs a dtype and a known shape");
  size_ = *count;
  std::size_t bytes = 0;
  check(!__builtin_mul_overflow(static_cast<std::size_t>(size_), dtype_size(dtype_), &bytes),
        "tensor too large");
  bytes_ = allocate(bytes);
}

Tensor Tensor::borrowed(DType dtype, Shape shape, std::byte* elements) {
  const auto count = element_count(shape);
  check(count.has_value() && dtype != DType::kVoid, "a tensor needs a dtype and a known shape");
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.shape_ = std::move(shape);
  tensor.size_ = *count;
  tensor.bytes_ = std::shared_ptr<std::byte[]>(std::shared_ptr<void>(), elements);
  return tensor;
}

Tensor Tensor::zeros(DType dtype, Shape shape) {
  Tensor tensor(dtype, std::move(shape));
  std::memset(tensor.mutable_bytes(), 0, tensor.byte_size());
  return tensor;
}

std::size_t Tensor::byte_size() const {
  return static_cast<std::size_t>(size_) * dtype_size(dtype_);
}

Tensor Tensor::reshaped(Shape shape) const {
  check(element_count(shape) == size_, "reshape keeps the number of elements");
  Tensor result = *this;
  result.shape_ = std::move(shape);
  return result;
}

bool Tensor::same_bytes(const Tensor& other) const {
  return dtype_ == other.dtype_ && shape_ == other.shape_ &&
         (byte_size() == 0 || std::memcmp(bytes(), other.bytes(), byte_size()) == 0);
}

void Tensor::throw_type_mismatch(DType asked) const {
  throw InternalError(
      fmt::format("tensor of {} read as {}", dtype_name(dtype_), dtype_name(asked)));
}

}  // namespace tvmq::ir
