// Random numbers that are the same with every standard library (its distributions are not).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>

#include "ir/tensor.h"

namespace tvmq::support {

class RandomNumbers {
 public:
  explicit RandomNumbers(std::uint32_t seed) : random_(seed) {}

  /// low, low + 1, ..., high.
  int pick(int low, int high) {
    return low + static_cast<int>(random_() % static_cast<std::uint32_t>(high - low + 1));
  }
  /// True once in `times`.
  bool once_in(int times) { return pick(1, times) == 1; }
  template <class T>
  T one_of(std::initializer_list<T> choices) {
    return choices.begin()[pick(0, static_cast<int>(choices.size()) - 1)];
  }
  float uniform(float low, float high) {
    return low + (high - low) * (static_cast<float>(random_() >> 8) * 0x1p-24F);
  }
  ir::Tensor tensor(ir::Shape shape, float low, float high) {
    ir::Tensor tensor(ir::DType::kFloat32, std::move(shape));
    for (float& each : tensor.mutable_data<float>()) each = uniform(low, high);
    return tensor;
  }

 private:
  std::mt19937 random_;
};

}  // namespace tvmq::support
