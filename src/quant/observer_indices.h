// Which counter each element of a value belongs to, without those that need none: the zeros that a
// ReLU makes many of, and whatever else is frequent, are only counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tvmq::quant {

/// Where the elements of a block went.
struct IndexedBlock {
  std::size_t indices = 0;  ///< how many were written, in the order of the elements
  std::size_t zeros = 0;    ///< 0.0 and -0.0: have no index
  std::size_t last = 0;     ///< of the last bin of a histogram: have no index either
};

/// Elements per call; a caller's buffer holds kIndexBlock + kIndexSlack indices.
inline constexpr std::size_t kIndexBlock = 1024;
inline constexpr std::size_t kIndexSlack = 32;

/// A histogram's bins as numpy 1.x places them (observer_histogram.h).
struct BinScale {
  float bins_per_unit;  ///< bins / 2t
  double bin_width;     ///< 2t / bins, as numpy rounds it
  double last_edge;     ///< t
  std::int32_t bins;    ///< odd, at most 8001
};

/// The bin of each element that is neither zero nor in the last bin. An element outside [-t, t], or
/// NaN, counts as one of an end bin. REQUIRES: elements.size() <= kIndexBlock.
IndexedBlock index_bins(std::span<const float> elements, const BinScale& scale,
                        std::uint16_t* indices);

/// The upper 16 bits of |x|, as a float32 pattern, of each element that is not zero.
/// REQUIRES: elements.size() <= kIndexBlock.
IndexedBlock index_upper_bits(std::span<const float> elements, std::uint16_t* indices);

/// The same in plain loops: what a CPU without AVX-512 runs, and what the others are tested
/// against.
IndexedBlock index_bins_plain(std::span<const float> elements, const BinScale& scale,
                              std::uint16_t* indices);
IndexedBlock index_upper_bits_plain(std::span<const float> elements, std::uint16_t* indices);

}  // namespace tvmq::quant
