#include "exec/reference_loops.h"

#include <algorithm>
#include <type_traits>

namespace tvmq::exec {
namespace {

std::int64_t product(const std::array<std::int64_t, 3>& sizes) {
  return sizes[0] * sizes[1] * sizes[2];
}

/// The positions i in [0, count) with 0 <= i * stride + offset < limit, as [begin, end).
struct Interval {
  std::int64_t begin;
  std::int64_t end;
};
Interval positions_inside(std::int64_t count, std::int64_t stride, std::int64_t offset,
                          std::int64_t limit) {
  const std::int64_t begin = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const std::int64_t last = limit - 1 - offset;
  const std::int64_t end = last < 0 ? 0 : std::min(count, last / stride + 1);
  return {begin, std::max(begin, end)};
}

/// A convolution that combines channels position by position is one long row.
ConvGeometry flattened(ConvGeometry g) {
  constexpr std::array<std::int64_t, 3> kOnes{1, 1, 1};
  if (g.kernel == kOnes && g.stride == kOnes && g.pad == std::array<std::int64_t, 3>{} &&
      g.in == g.out) {
    g.in = {1, 1, product(g.in)};
    g.out = g.in;
  }
  return g;
}

/// far[i * stride + offset] meets near[i]: the convolution's output is near and its input far, the
/// other way round for the transposed one.
struct Plane {
  std::array<std::int64_t, 3> near;
  std::array<std::int64_t, 3> far;
  std::array<std::int64_t, 3> stride;
  std::array<std::int64_t, 3> offset;
};

template <class T>
[[gnu::always_inline]] inline void add_row(T* __restrict y, const T* __restrict x, T weight,
                                           std::int64_t count, std::int64_t y_step,
                                           std::int64_t x_step) {
  if (y_step == 1 && x_step == 1) {
    for (std::int64_t i = 0; i < count; ++i) y[i] += x[i] * weight;
  } else {
    for (std::int64_t i = 0; i < count; ++i) y[i * y_step] += x[i * x_step] * weight;
  }
}

/// y += x * weight wherever near and far meet; y is near unless kTransposed.
template <class T, bool kTransposed>
[[gnu::always_inline]] inline void add_plane(T* y, const T* x, T weight, const Plane& plane) {
  const auto& [near, far, stride, offset] = plane;
  const Interval depth = positions_inside(near[0], stride[0], offset[0], far[0]);
  const Interval height = positions_inside(near[1], stride[1], offset[1], far[1]);
  const Interval width = positions_inside(near[2], stride[2], offset[2], far[2]);
  const std::int64_t count = width.end - width.begin;
  if (count <= 0) return;
  for (std::int64_t d = depth.begin; d < depth.end; ++d) {
    for (std::int64_t h = height.begin; h < height.end; ++h) {
      const std::int64_t at_near = (d * near[1] + h) * near[2] + width.begin;
      const std::int64_t at_far =
          ((d * stride[0] + offset[0]) * far[1] + h * stride[1] + offset[1]) * far[2] +
          width.begin * stride[2] + offset[2];
      if constexpr (kTransposed) {
        add_row(y + at_far, x + at_near, weight, count, stride[2], std::int64_t{1});
      } else {
        add_row(y + at_near, x + at_far, weight, count, std::int64_t{1}, stride[2]);
      }
    }
  }
}

/// What `count` input channels add to one output channel: kernel positions outside (descending if
/// transposed), channels inside.
template <class T, bool kTransposed>
[[gnu::always_inline]] inline void add_channels(T* y, const T* x, const T* w, std::int64_t count,
                                                const ConvGeometry& g) {
  Plane plane{kTransposed ? g.in : g.out, kTransposed ? g.out : g.in, g.stride, {}};
  const std::int64_t positions = product(g.kernel);
  for (std::int64_t i = 0; i < positions; ++i) {
    const std::int64_t k = kTransposed ? positions - 1 - i : i;
    plane.offset[0] = k / (g.kernel[1] * g.kernel[2]) * g.dilation[0] - g.pad[0];
    plane.offset[1] = k / g.kernel[2] % g.kernel[1] * g.dilation[1] - g.pad[1];
    plane.offset[2] = k % g.kernel[2] * g.dilation[2] - g.pad[2];
    for (std::int64_t channel = 0; channel < count; ++channel) {
      add_plane<T, kTransposed>(y, x + channel * product(g.in), w[channel * positions + k], plane);
    }
  }
}

/// Compiled for three generations of processors below; the results are the same bits, since
/// nothing is contracted and every element has its own sum.
template <class T>
[[gnu::always_inline]] inline void convolve_any(const ConvGeometry& given, const T* x, const T* w,
                                                T* y) {
  const ConvGeometry g = flattened(given);
  const std::int64_t in_group = g.in_channels / g.groups;
  const std::int64_t out_group = g.out_channels / g.groups;
  const std::int64_t in_plane = product(g.in);
  const std::int64_t out_plane = product(g.out);
  std::fill_n(y, g.batch * g.out_channels * out_plane, T{0});
  for (std::int64_t n = 0; n < g.batch; ++n) {
    for (std::int64_t o = 0; o < g.out_channels; ++o) {
      const T* image = x + (n * g.in_channels + o / out_group * in_group) * in_plane;
      const T* weights = w + o * in_group * product(g.kernel);
      T* sums = y + (n * g.out_channels + o) * out_plane;
      for (std::int64_t i = 0; i < in_group; i += g.channel_block) {
        add_channels<T, false>(sums, image + i * in_plane, weights + i * product(g.kernel),
                               g.channel_block, g);
      }
    }
  }
}

template <class T>
[[gnu::always_inline]] inline void convolve_transposed_any(const ConvGeometry& g, const T* x,
                                                           const T* w, T* y) {
  const std::int64_t in_group = g.in_channels / g.groups;
  const std::int64_t out_group = g.out_channels / g.groups;
  const std::int64_t in_plane = product(g.in);
  const std::int64_t out_plane = product(g.out);
  std::fill_n(y, g.batch * g.out_channels * out_plane, T{0});
  for (std::int64_t n = 0; n < g.batch; ++n) {
    for (std::int64_t o = 0; o < g.out_channels; ++o) {
      T* sums = y + (n * g.out_channels + o) * out_plane;
      for (std::int64_t i = 0; i < in_group; ++i) {
        const std::int64_t channel = o / out_group * in_group + i;
        const T* image = x + (n * g.in_channels + channel) * in_plane;
        const T* weights = w + (channel * out_group + o % out_group) * product(g.kernel);
        add_channels<T, true>(sums, image, weights, 1, g);
      }
    }
  }
}

}  // namespace

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void convolve(
    const ConvGeometry& geometry, const float* x, const float* w, float* y) {
  convolve_any(geometry, x, w, y);
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void convolve(
    const ConvGeometry& geometry, const double* x, const double* w, double* y) {
  convolve_any(geometry, x, w, y);
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void convolve(
    const ConvGeometry& geometry, const std::uint32_t* x, const std::uint32_t* w,
    std::uint32_t* y) {
  convolve_any(geometry, x, w, y);
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void convolve(
    const ConvGeometry& geometry, const std::uint64_t* x, const std::uint64_t* w,
    std::uint64_t* y) {
  convolve_any(geometry, x, w, y);
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void
convolve_transposed(const ConvGeometry& geometry, const float* x, const float* w, float* y) {
  convolve_transposed_any(geometry, x, w, y);
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void
convolve_transposed(const ConvGeometry& geometry, const double* x, const double* w, double* y) {
  convolve_transposed_any(geometry, x, w, y);
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void
convolve_transposed(const ConvGeometry& geometry, const std::uint32_t* x, const std::uint32_t* w,
                    std::uint32_t* y) {
  convolve_transposed_any(geometry, x, w, y);
}

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void
convolve_transposed(const ConvGeometry& geometry, const std::uint64_t* x, const std::uint64_t* w,
                    std::uint64_t* y) {
  convolve_transposed_any(geometry, x, w, y);
}

}  // namespace tvmq::exec
