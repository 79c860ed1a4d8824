// Which files of a folder are used, and for what.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace tvmq::data {

/// Indices of files, ascending; no index is in both.
struct Samples {
  std::vector<std::size_t> calibration;
  std::vector<std::size_t> verification;
};

/// Without a seed: the first `calibration` of `available` files, then the next `verification`. With
/// a seed: the same of a random order, which depends on the seed and on `available` alone
/// (SplitMix64 and Fisher-Yates, written out here because std::shuffle differs between libraries).
/// REQUIRES: calibration + verification <= available.
Samples choose_samples(std::size_t available, std::size_t calibration, std::size_t verification,
                       std::optional<std::uint64_t> seed);

}  // namespace tvmq::data
