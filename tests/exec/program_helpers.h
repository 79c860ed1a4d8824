// Graphs with deterministic numbers in them, and a program held against the reference kernels.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "exec/program.h"
#include "exec/reference_executor.h"
#include "ir/graph.h"
#include "ir/infer_types.h"

namespace tvmq::exec {

/// A small generator whose numbers are the same everywhere.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed = 1) : state_(seed * 2654435769U + 1) {}
  std::uint32_t next() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::uint32_t>(state_ >> 33);
  }
  float real(float low, float high) {
    return low + (high - low) * static_cast<float>(next()) / 2147483648.0F;
  }
  std::int64_t whole(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(next()) % (high - low + 1);
  }
  ir::Tensor floats(ir::Shape shape, float low = -1, float high = 1) {
    ir::Tensor tensor(ir::DType::kFloat32, std::move(shape));
    for (float& each : tensor.mutable_data<float>()) each = real(low, high);
    return tensor;
  }
  template <class T>
  ir::Tensor integers(ir::Shape shape, std::int64_t low, std::int64_t high) {
    ir::Tensor tensor(ir::DTypeOf<T>::kValue, std::move(shape));
    for (T& each : tensor.mutable_data<T>()) each = static_cast<T>(whole(low, high));
    return tensor;
  }

 private:
  std::uint64_t state_;
};

inline ir::TensorType float_type(ir::Shape shape) {
  return {ir::DType::kFloat32, std::move(shape)};
}

/// The largest difference relative to the largest expected magnitude.
inline double relative_error(const ir::Tensor& actual, const ir::Tensor& expected) {
  const auto a = actual.data<float>();
  const auto e = expected.data<float>();
  double worst = 0;
  double scale = 1e-30;
  for (std::size_t i = 0; i < e.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(e[i])) return INFINITY;
    worst = std::max(worst, std::abs(double{a[i]} - e[i]));
    scale = std::max(scale, std::abs(double{e[i]}));
  }
  return worst / scale;
}

inline void expect_same_bytes(const std::vector<ir::Tensor>& actual,
                              const std::vector<ir::Tensor>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_TRUE(actual[i].same_bytes(expected[i])) << "output " << i;
  }
}
inline void expect_close(const std::vector<ir::Tensor>& actual,
                         const std::vector<ir::Tensor>& expected, double tolerance = 1e-5) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_EQ(actual[i].shape(), expected[i].shape());
    ASSERT_EQ(actual[i].dtype(), expected[i].dtype());
    if (expected[i].dtype() == ir::DType::kFloat32) {
      EXPECT_LT(relative_error(actual[i], expected[i]), tolerance) << "output " << i;
    } else {
      EXPECT_TRUE(actual[i].same_bytes(expected[i])) << "output " << i;
    }
  }
}

inline std::vector<ir::Tensor> run_program(const ir::Graph& graph,
                                           const std::vector<ir::Tensor>& inputs,
                                           ProgramOptions options = {}) {
  Session session(std::make_shared<const Program>(graph, std::move(options)));
  return session.run(inputs);
}

/// The steps of a program, one per line.
inline std::string steps_of(const Program& program) {
  std::string text;
  for (const StepInfo& step : program.steps()) text += step.text + "\n";
  return text;
}

}  // namespace tvmq::exec
