// A dense row-major array on the CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "ir/dtype.h"

namespace tvmq::ir {

/// Dimensions, outermost first; empty for a scalar. Every dimension is >= 0, or kDynamicDim in the
/// type of a value whose size is not known before it runs.
using Shape = std::vector<std::int64_t>;

/// A dimension that the model leaves open (TVM's tir.Any).
inline constexpr std::int64_t kDynamicDim = -1;

/// Product of the dimensions; nothing if one is negative or the product does not fit in int64.
std::optional<std::int64_t> element_count(std::span<const std::int64_t> shape);
/// "(1, 3, 224, 224)"; a dynamic dimension prints as "?".
std::string to_string(const Shape& shape);

/// A tensor is a cheap handle: copies share their elements. Write only to a tensor that you have
/// just created and not yet handed on; everything else treats elements as constant.
class Tensor {
 public:
  /// No elements and dtype kVoid; `empty()` is true.
  Tensor() = default;
  /// Uninitialised elements, aligned to 64 bytes. REQUIRES: element_count(shape) has a value.
  Tensor(DType dtype, Shape shape);

  static Tensor zeros(DType dtype, Shape shape);
  /// A view of memory that someone else owns and that outlives every copy of the tensor.
  static Tensor borrowed(DType dtype, Shape shape, std::byte* elements);
  template <class T>
  static Tensor scalar(T value);
  template <class T>
  static Tensor from(Shape shape, std::span<const T> values);
  template <class T>
  static Tensor from(Shape shape, std::initializer_list<T> values) {
    return from<T>(std::move(shape), std::span<const T>(values.begin(), values.size()));
  }

  [[nodiscard]] bool empty() const { return dtype_ == DType::kVoid; }
  [[nodiscard]] DType dtype() const { return dtype_; }
  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] std::int64_t rank() const { return static_cast<std::int64_t>(shape_.size()); }
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] std::size_t byte_size() const;

  /// The elements as T. REQUIRES: T is the C++ type of dtype().
  template <class T>
  [[nodiscard]] std::span<const T> data() const {
    check_type(DTypeOf<T>::kValue);
    return {reinterpret_cast<const T*>(bytes_.get()), static_cast<std::size_t>(size_)};
  }
  template <class T>
  [[nodiscard]] std::span<T> mutable_data() {
    check_type(DTypeOf<T>::kValue);
    return {reinterpret_cast<T*>(bytes_.get()), static_cast<std::size_t>(size_)};
  }
  [[nodiscard]] const std::byte* bytes() const { return bytes_.get(); }
  [[nodiscard]] std::byte* mutable_bytes() { return bytes_.get(); }

  /// The same elements under another shape of the same size; elements stay shared.
  [[nodiscard]] Tensor reshaped(Shape shape) const;

  /// Same dtype, shape and bytes (so NaN equals the same NaN, and 0.0 differs from -0.0).
  [[nodiscard]] bool same_bytes(const Tensor& other) const;

 private:
  void check_type(DType asked) const {
    if (asked != dtype_) throw_type_mismatch(asked);
  }
  [[noreturn]] void throw_type_mismatch(DType asked) const;

  DType dtype_ = DType::kVoid;
  Shape shape_;
  std::int64_t size_ = 0;
  std::shared_ptr<std::byte[]> bytes_;
};

template <class T>
Tensor Tensor::scalar(T value) {
  Tensor tensor(DTypeOf<T>::kValue, {});
  tensor.mutable_data<T>()[0] = value;
  return tensor;
}

template <class T>
Tensor Tensor::from(Shape shape, std::span<const T> values) {
  Tensor tensor(DTypeOf<T>::kValue, std::move(shape));
  check(static_cast<std::size_t>(tensor.size()) == values.size(), "one value per element");
  std::copy(values.begin(), values.end(), tensor.mutable_data<T>().begin());
  return tensor;
}

}  // namespace tvmq::ir
