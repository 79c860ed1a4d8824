// Rounds weights so that the outputs of their layer, not the weights themselves, lose least.
//
// Rounding each weight to the nearest integer makes e^T e least; what an output loses is e^T H e,
// with the moments H of the layer's patches (quant/patch_moments.h). Neighbouring pixels and
// related channels vary together, so the error of one weight can be made up for by the next. With
// H = L L^T and weights taken from the last to the first,
//
//   e^T H e = sum over i of (L_ii e_i + sum over j > i of L_ji e_j)^2,
//
// and each weight is rounded to make its own term least: nearest(w_i - sum L_ji e_j / L_ii). This
// is Babai's nearest plane, which is what GPTQ computes (Frantar et al. 2022; Chen et al. 2025 show
// that they are the same). Elements that vary most are taken first, while there is most to make up
// with.
#pragma once

#include <span>
#include <vector>

#include "base/log.h"
#include "quant/calibrate.h"
#include "quant/integer_scheme.h"
#include "quant/patch_moments.h"

namespace tvmq::quant {

/// quantize_weight() with the rounding above; the scales are the same. What a patch's elements that
/// never vary are multiplied with is rounded to the nearest.
/// `keep_means`: H is taken about zero, so that errors of an output's mean count as well; otherwise
/// about the means of the patches, because the bias will be corrected afterwards.
/// REQUIRES: moments of this layer, with samples.
QuantizedWeight round_weight(const ir::Tensor& weight, const PatchMoments& moments,
                             const IntegerOptions& options, bool keep_means);

/// All layers of the plan, per node: IntegerParameters::weights.
std::vector<QuantizedWeight> round_weights(const IntegerPlan& plan,
                                           std::span<const Interval> ranges,
                                           const IntegerOptions& options, bool keep_means,
                                           const BatchSource& source, const PatchOptions& patches,
                                           Log& log);

}  // namespace tvmq::quant
