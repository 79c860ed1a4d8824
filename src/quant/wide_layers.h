// Which layers take their input in 16 bits without being told: those of which too little was seen
// to know the range.
//
// Of n values that were seen of a channel, the next one lies outside their range with a chance of
// 2 / (n + 1), whatever the distribution. With tails that fall off like exp(-x), as those behind
// swish and linear layers do, it lies outside by about a step of the tail, and what is cut off
// leaves no more than about 10 log10(n) dB of signal to noise: 21 dB of an input of one pixel and
// 128 images, where rounding to 8 bits alone leaves 40. A wider range makes rounding worse by as
// much as it gains. With 16 bits there is room for both (wide_stored_parameters() covers four times
// what was seen).
//
// Such inputs have few pixels, so that the second product costs little: efficientnet_b0 for
// CIFAR-10 goes from 24.8 to 32.7 dB (docs/results.md). Of networks for 224 x 224 images it is the
// layers of squeeze-excite and the classifier.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "quant/integer_scheme.h"

namespace tvmq::quant {

/// Inputs of which fewer values per channel were seen get 16 bits.
inline constexpr std::int64_t kEnoughSeen = 4096;

/// The names, as in plan.layers, of the integer layers whose input is stored for them directly (no
/// other integer kernel moved it) and of which calibration on `batches` batches saw fewer than
/// kEnoughSeen values per channel; none if no batch was looked at.
std::vector<std::string> little_seen_layers(const IntegerPlan& plan, std::int64_t batches);

}  // namespace tvmq::quant
