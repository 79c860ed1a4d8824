// TVM's threshold: where quantizing to 255 levels changes the distribution of a value least, in
// the sense of the Kullback-Leibler divergence (relay_quantize.md 3.3, "KL threshold").
//
// The result equals TVM's to the last bit. Its sums are float32 from left to right, so rounding
// errors are part of the result; nothing may be computed another way, only avoided.
//
// Differs from TVM in one place: where a bin holds 2^31 elements or more, TVM's int32 counters
// overflow and it aborts; here the same formula goes on in wider integers.
#pragma once

#include <cstdint>
#include <span>

namespace tvmq::quant {

/// The threshold for `histogram`, kHistogramBins counts over [-absmax, absmax] as in
/// observer_histogram.h: a right edge of one of the bins 4127 .. 8000. Ties go to the smallest.
/// REQUIRES: absmax is finite and >= 0; the counts sum up to less than 2^53.
float threshold_kl(std::span<const std::uint64_t> histogram, float absmax);

/// The same by following TVM's algorithm step by step: the definition, and the slow one.
float find_scale_by_kl_reference(std::span<const std::uint64_t> histogram, float absmax);

}  // namespace tvmq::quant
