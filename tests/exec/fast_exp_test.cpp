#include "exec/fast_exp.h"

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "program_helpers.h"

namespace tvmq::exec {
namespace {

/// As TVM writes it (topi, elemwise.h: fast_exp_float32).
float fast_exp_of_tvm(float x) {
  const float below = x < 88.3762626647950F ? x : 88.3762626647950F;
  const float bounded = below > -88.3762626647950F ? below : -88.3762626647950F;
  const float n = std::floor(bounded * 1.44269504088896341F + 0.5F);
  const float f = bounded - n * 0.6931471805599453F;
  float p = 1.9875691500e-4F;
  for (const float coefficient :
       {1.3981999507e-3F, 8.3334519073e-3F, 4.1665795894e-2F, 1.6666665459e-1F, 5.0000001201e-1F}) {
    p = p * f + coefficient;
  }
  const float y = p * f * f + f + 1.0F;
  const auto power = std::bit_cast<float>(static_cast<std::int32_t>(n + 127.0F) << 23);
  return power * y > x ? power * y : x;
}

/// Every float of a stride through all bit patterns, and those around what matters.
std::vector<float> floats_of_all_kinds() {
  std::vector<float> all;
  constexpr std::uint64_t kStride = 9973;
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += kStride) {
    all.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
  for (int n = -130; n <= 130; ++n) {  // where n changes
    float x = (static_cast<float>(n) - 0.5F) / 1.44269504088896341F;
    for (int i = 0; i < 5; ++i) x = std::nextafter(x, -1e9F);
    for (int i = 0; i < 10; ++i) {
      all.push_back(x);
      x = std::nextafter(x, 1e9F);
    }
  }
  for (const float x : {0.0F, 88.3762626647950F, std::numeric_limits<float>::infinity(),
                        std::numeric_limits<float>::denorm_min()}) {
    for (const float each : {x, std::nextafter(x, -1e9F), std::nextafter(x, 1e9F)}) {
      all.push_back(each);
      all.push_back(-each);
    }
  }
  return all;
}

bool same(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

TEST(FastExp, HasTheBitsOfTvmsFormula) {
  std::size_t wrong = 0;
  for (const float x : floats_of_all_kinds()) {
    if (same(fast_exp(x), fast_exp_of_tvm(x))) continue;
    if (++wrong <= 5) ADD_FAILURE() << x << ": " << fast_exp(x) << ", TVM " << fast_exp_of_tvm(x);
  }
  EXPECT_EQ(wrong, 0U);
}

TEST(FastExp, VectorisedLoopsHaveTheSameBits) {
  const std::vector<float> numbers = floats_of_all_kinds();
  const auto count = static_cast<std::int64_t>(numbers.size());
  ir::Graph graph;
  const ir::NodeId x = graph.add_input("x", ir::TensorType{ir::DType::kFloat32, {count}});
  graph.set_output(graph.add_call(ir::Op::kFastExp, {x}));
  ir::infer_types(graph);
  Session session(std::make_shared<const Program>(graph));
  const std::vector<ir::Tensor> inputs = {ir::Tensor::from<float>({count}, numbers)};
  const ir::Tensor result = session.run(inputs).at(0);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const float fast = result.data<float>()[i];
    if (same(fast, fast_exp(numbers[i]))) continue;
    if (++wrong <= 5) ADD_FAILURE() << numbers[i] << ": " << fast;
  }
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace tvmq::exec
