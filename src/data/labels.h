// Which class each image of a set is: a text file of lines `file label`.
//
//   cat_0001.jpg 3            the label is what follows the last blank: names may hold blanks
//   dogs/rex.jpg 5            a path starts at the folder of the images
//   # a comment; empty lines are passed over
//
// The folder of the images is not written down; it is the first of these that has the first file:
// the list's own folder, the folder beside the list that has its name (validation.txt and
// validation/), `also` (the folder of the calibration images), or the only folder beside the list
// that has it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace tvmq::data {

struct LabelList {
  std::filesystem::path folder;      ///< where the files are
  std::vector<std::string> files;    ///< as written, in the order of the list
  std::vector<std::int64_t> labels;  ///< one per file, >= 0
};

/// The lines of a list; `folder` is left empty. InputError with the line: no label, a label that is
/// no whole number of 0 or more, no line at all.
LabelList parse_labels(std::string_view text, std::string_view name_for_errors);

/// The list with its folder. Also throws InputError if the list cannot be read, if no folder has
/// its first file, or if several could be meant.
LabelList read_labels(const std::filesystem::path& list, const std::filesystem::path& also = {});

/// The list of the images of `folder`. Throws InputError if the list cannot be read, or if the
/// folder does not have its first file.
LabelList read_labels_of(const std::filesystem::path& list, const std::filesystem::path& folder);

/// Images with their classes; labels[batch * N + i] belongs to image i of a batch of N.
struct LabelledDataset {
  std::unique_ptr<Dataset> dataset;
  std::vector<std::int64_t> labels;
};

/// `options` as for open_dataset(); its folder and numbers of samples are not used. Images that do
/// not fill the last batch are left out, and the log says so. InputError as there.
LabelledDataset open_labelled(const LabelList& list, const DatasetOptions& options,
                              const std::vector<InputSpec>& inputs, Log& log);

}  // namespace tvmq::data
