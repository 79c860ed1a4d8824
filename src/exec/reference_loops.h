// The loops that take the time: sums of products. Everything is row-major and of one type; float
// sums run in the order given below, unsigned sums modulo 2^32 or 2^64 (integers of any sign are
// passed as their unsigned counterparts).
#pragma once

#include <array>
#include <cstdint>

namespace tvmq::exec {

/// A convolution over three spatial dimensions (depth, height, width; 1 where there are fewer).
/// Output position o meets input position o * stride + k * dilation - pad for kernel position k;
/// positions outside of the input count as 0. A transposed convolution swaps the roles of input and
/// output: output position i * stride + k * dilation - pad meets input position i.
struct ConvGeometry {
  std::int64_t batch = 1;
  std::int64_t groups = 1;
  std::int64_t in_channels = 1;   ///< of all groups
  std::int64_t out_channels = 1;  ///< of all groups
  /// How many input channels are summed at each kernel position; divides those of a group.
  std::int64_t channel_block = 1;
  std::array<std::int64_t, 3> in{1, 1, 1};
  std::array<std::int64_t, 3> out{1, 1, 1};
  std::array<std::int64_t, 3> kernel{1, 1, 1};
  std::array<std::int64_t, 3> stride{1, 1, 1};
  std::array<std::int64_t, 3> dilation{1, 1, 1};
  std::array<std::int64_t, 3> pad{0, 0, 0};  ///< before the first element
};

/// y[n, o, :] = sum from 0 over blocks of channel_block input channels, then kernel depth, height
/// and width, then the channels of the block, all ascending.
/// x: (batch, in_channels, in...), w: (out_channels, in_channels / groups, kernel...),
/// y: (batch, out_channels, out...).
void convolve(const ConvGeometry& geometry, const float* x, const float* w, float* y);
void convolve(const ConvGeometry& geometry, const double* x, const double* w, double* y);
void convolve(const ConvGeometry& geometry, const std::uint32_t* x, const std::uint32_t* w,
              std::uint32_t* y);
void convolve(const ConvGeometry& geometry, const std::uint64_t* x, const std::uint64_t* w,
              std::uint64_t* y);

/// The same sums with the kernel positions descending, as TVM has it (it flips the kernel).
/// w: (in_channels, out_channels / groups, kernel...).
void convolve_transposed(const ConvGeometry& geometry, const float* x, const float* w, float* y);
void convolve_transposed(const ConvGeometry& geometry, const double* x, const double* w, double* y);
void convolve_transposed(const ConvGeometry& geometry, const std::uint32_t* x,
                         const std::uint32_t* w, std::uint32_t* y);
void convolve_transposed(const ConvGeometry& geometry, const std::uint64_t* x,
                         const std::uint64_t* w, std::uint64_t* y);

/// (rows x inner) times (inner x columns), summed over `inner` ascending, from 0.
template <class T>
void multiply_matrices(std::int64_t rows, std::int64_t inner, std::int64_t columns, const T* a,
                       const T* b, T* product) {
  // A 1 x 1 convolution: b is an image of `inner` channels, a its weights.
  const ConvGeometry geometry{
      .in_channels = inner, .out_channels = rows, .in = {1, 1, columns}, .out = {1, 1, columns}};
  convolve(geometry, b, a, product);
}

}  // namespace tvmq::exec
