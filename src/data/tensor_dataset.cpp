#include "data/tensor_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "data/convert.h"
#include "data/npz.h"

namespace tvmq::data {
namespace {

/// No array of a good file unpacks to more than the largest input in the widest type.
std::uint64_t max_array_bytes(const std::vector<InputSpec>& inputs) {
  std::uint64_t most = 0;
  for (const InputSpec& input : inputs) {
    const auto count = ir::element_count(input.type.shape);
    if (!count) return std::uint64_t{1} << 32;  // a dynamic dimension
    most = std::max(most, static_cast<std::uint64_t>(*count) * sizeof(double));
  }
  return most;
}

std::string names_of(const NpzArrays& arrays) {
  std::string text;
  for (const auto& [name, array] : arrays) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "no array" : text;
}

/// One array per input, in the order of the inputs, as they are in the file.
std::vector<ir::Tensor> read_arrays(const std::filesystem::path& path,
                                    const std::vector<InputSpec>& inputs) {
  const std::string bytes = read_file(path);
  const std::string name = path.string();
  if (bytes.starts_with("\x93NUMPY")) {
    if (inputs.size() == 1) return {parse_npy(bytes, name)};
    throw InputError(fmt::format(
        "{}: found one array, expected {}: a model with several inputs needs .npz files with one "
        "array per input",
        name, inputs.size()));
  }
  NpzArrays arrays = parse_npz(bytes, name, {.max_array_bytes = max_array_bytes(inputs)});
  std::vector<ir::Tensor> result;
  for (const InputSpec& input : inputs) {
    const auto found = arrays.find(input.name);
    if (found == arrays.end()) {
      throw InputError(
          fmt::format("{}: found {}, expected an array named '{}' like the model's input", name,
                      names_of(arrays), input.name));
    }
    result.push_back(found->second);
  }
  return result;
}

bool fits(std::int64_t found, std::int64_t expected) {
  return expected == ir::kDynamicDim || found == expected;
}

/// `found` without its first `skip` dimensions against `expected` without its first.
bool rest_fits(const ir::Shape& found, std::size_t skip, const ir::Shape& expected) {
  return !expected.empty() && found.size() >= skip &&
         std::equal(found.begin() + static_cast<std::ptrdiff_t>(skip), found.end(),
                    expected.begin() + 1, expected.end(), fits);
}

/// Nothing: the shape does not fit.
std::optional<FileUnit> unit_of(const ir::Shape& found, const ir::Shape& expected,
                                std::int64_t batch_size) {
  ir::Shape whole = expected;
  if (!whole.empty() && whole[0] == ir::kDynamicDim) whole[0] = batch_size;
  if (std::equal(found.begin(), found.end(), whole.begin(), whole.end(), fits)) {
    return FileUnit::kBatch;
  }
  if (whole.empty() || whole[0] != batch_size) return std::nullopt;
  const bool one = !found.empty() && found[0] == 1 && rest_fits(found, 1, whole);
  if (one || rest_fits(found, 0, whole)) return FileUnit::kSample;
  return std::nullopt;
}

[[noreturn]] void fail(const std::filesystem::path& path, const ir::Shape& found,
                       const InputSpec& input, std::int64_t batch_size) {
  throw InputError(
      fmt::format("{}: found an array of shape {}, expected {} for the model's input '{}' (or one "
                  "sample of it, "
                  "without the first dimension, if that is BatchSize, which is {})",
                  path.string(), ir::to_string(found), ir::to_string(input.type.shape), input.name,
                  batch_size));
}

/// Puts the samples behind each other under a new first dimension. `rank` is that of the result;
/// a sample has it too, with a first dimension of 1, or one less.
ir::Tensor join(const std::vector<ir::Tensor>& samples, std::size_t rank) {
  ir::Shape shape = samples.front().shape();
  if (shape.size() < rank) shape.insert(shape.begin(), 1);
  shape[0] = static_cast<std::int64_t>(samples.size());
  if (samples.size() == 1) return samples.front().reshaped(shape);
  ir::Tensor result(samples.front().dtype(), shape);
  std::byte* to = result.mutable_bytes();
  for (const ir::Tensor& sample : samples) {
    check(sample.byte_size() * samples.size() == result.byte_size(), "samples of one size");
    std::memcpy(to, sample.bytes(), sample.byte_size());
    to += sample.byte_size();
  }
  return result;
}

}  // namespace

FileUnit inspect_tensor_file(const std::filesystem::path& file,
                             const std::vector<InputSpec>& inputs, std::int64_t batch_size) {
  const std::vector<ir::Tensor> arrays = read_arrays(file, inputs);
  std::optional<FileUnit> common;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto unit = unit_of(arrays[i].shape(), inputs[i].type.shape, batch_size);
    if (!unit || (common && unit != common)) fail(file, arrays[i].shape(), inputs[i], batch_size);
    common = unit;
    convert_exactly(arrays[i], inputs[i].type.dtype, file.string());
  }
  check(common.has_value(), "a model to fill has inputs");
  return *common;
}

std::vector<ir::Tensor> TensorDataset::load_files(const std::vector<std::string>& files) const {
  std::vector<std::vector<ir::Tensor>> samples(inputs_.size());
  for (const std::string& file : files) {
    const std::filesystem::path path = path_of(file);
    const std::vector<ir::Tensor> arrays = read_arrays(path, inputs_);
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const ir::Tensor& array = arrays[i];
      const InputSpec& input = inputs_[i];
      // With dynamic dimensions samples may fit the input and still not each other.
      if (unit_of(array.shape(), input.type.shape, batch_size_) != unit_ ||
          (!samples[i].empty() && samples[i].front().size() != array.size())) {
        fail(path, array.shape(), input, batch_size_);
      }
      samples[i].push_back(convert_exactly(array, input.type.dtype, path.string()));
    }
  }
  std::vector<ir::Tensor> result;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    result.push_back(unit_ == FileUnit::kBatch ? samples[i].front()
                                               : join(samples[i], inputs_[i].type.shape.size()));
  }
  return result;
}

}  // namespace tvmq::data
