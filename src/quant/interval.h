// From the statistics of a value to the interval that its uint8 numbers cover.
#pragma once

#include "quant/affine.h"
#include "quant/calibration_table.h"

namespace tvmq::quant {

/// The interval for `entry` by the mode:
///
///   minmax                     [min, max]
///   mse            least expected squared error, below
///   percentile     [-threshold, threshold] within [min, max]
///   kl_divergence  the same, unless its squared error is more than 1.3 times the least: then as
///   mse global_scale   [-threshold, threshold], since nothing was seen
///
/// The squared error of an interval [a, b] with n steps of s = (b - a) / n is estimated from the
/// histogram as s^2 / 12 for every element inside (a uniform rounding error; zeros are exact) and
/// (x - a)^2 or (x - b)^2 for every element outside. Both ends are searched on a grid.
///
/// Divergence looks at how often values occur and not at how large they are; of pixels, and of the
/// skewed values behind swish and ReLU6, it cuts off signal that the network needs (resnet56 24.9
/// dB against 29.2, efficientnet_b0 15.3 against 21.4).
///
/// REQUIRES for mse and kl_divergence: entry.histogram is there.
Interval interval_of(const CalibrationEntry& entry, CalibMode mode, int bits);

/// All that was seen; [0, 0] of a value without elements.
Interval extent_of(const CalibrationEntry& entry);

}  // namespace tvmq::quant
