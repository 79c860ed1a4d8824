// The samples that a configuration names: those to calibrate with, and those to check the result
// on, which calibration did not use.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "data/dataset.h"
#include "data/labels.h"
#include "driver/config.h"
#include "driver/quantize_model.h"
#include "ir/graph.h"
#include "quant/calibrate.h"

namespace tvmq::driver {

/// What the result is checked on.
struct VerificationSamples {
  quant::BatchSource source;
  std::string_view origin;               ///< "held out", "labelled" or "calibration"
  std::span<const std::int64_t> labels;  ///< one per image; empty: none
};

class Samples {
 public:
  /// Reads Dataset/Labels, if there is one, so that what is wrong with it is known before time is
  /// spent; folders are opened when they are first asked for. The arguments must outlive it.
  /// Throws InputError: labels that cannot be read, or that are no classes of the network.
  Samples(const ir::Graph& graph, const Config& config, const RunOptions& run, Log& log);
  ~Samples();
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;

  /// Those to calibrate with. Throws InputError if there are none, or none that fit the model's
  /// inputs.
  const quant::BatchSource& source();
  /// Whether the configuration names a folder that exists.
  [[nodiscard]] bool present() const;
  /// Whether source() was asked for.
  [[nodiscard]] bool calibrated() const { return calibrated_; }

  /// The labelled images, else files of Dataset/Path that calibration does not use, else those that
  /// it uses. Throws InputError if there are none.
  VerificationSamples verification();
  /// Images per batch.
  [[nodiscard]] std::int64_t batch_size() const { return config_.dataset.batch_size; }
  /// The file of an image of verification().
  [[nodiscard]] std::string file_of(std::int64_t image) const;

 private:
  void open();

  const ir::Graph& graph_;
  const Config& config_;
  const RunOptions& run_;
  Log& log_;
  data::Datasets datasets_;
  data::LabelledDataset labelled_;
  const data::Dataset* verification_ = nullptr;  ///< what verification() chose
  quant::BatchSource source_;
  bool calibrated_ = false;
};

}  // namespace tvmq::driver
