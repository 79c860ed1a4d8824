// The threshold that loses least: the expected squared error of quantizing a value to an integer
// grid, clipping included, is smallest.
//
// For a threshold T and a grid of `steps` steps between 0 and T, a value x becomes the nearest of
// 0, s, 2s, ..., T = steps * s (by magnitude). The error is
//
//   E(T) = sum over a = 0 .. steps of  integral over |x| in cell a of (|x| - a s)^2 f(|x|) dx,
//   cell a = [(a - 1/2) s, (a + 1/2) s), the last one without end: what is clipped
//
// with f the histogram, uniform within a bin, and exact zeros (which cost nothing) kept apart. With
// the moments M_n(v) = integral of |x|^n f up to v and the cell borders b_a = (a - 1/2) s, partial
// summation leaves
//
//   E(T) = M_2(inf) - 2 s (steps M_1(inf) - sum M_1(b_a)) + s^2 (steps^2 M_0(inf) - sum (2a-1)
//   M_0(b_a))
//
// so that a candidate costs `steps` look-ups. Candidates are the right edges of bins 4127 .. 8000,
// as for threshold_kl().
#pragma once

#include <cstdint>
#include <span>

namespace tvmq::quant {

/// The candidate of least error, the smallest of several; 0 if absmax is 0.
/// `histogram`: kHistogramBins counts over [-absmax, absmax]. `zeros`: elements that are exactly 0.
/// REQUIRES: steps >= 1.
float threshold_mse(std::span<const std::uint64_t> histogram, float absmax, std::uint64_t zeros,
                    int steps);

/// E(T) / number of elements for the threshold that is `bins` bin widths, in x's unit squared: what
/// threshold_mse() minimises, for reports and tests. REQUIRES: as above, bins > 0.
double quantization_error(std::span<const std::uint64_t> histogram, float absmax,
                          std::uint64_t zeros, int steps, double bins);

}  // namespace tvmq::quant
