#include "data/image_dataset.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "data/image.h"

namespace tvmq::data {
namespace {

std::string read_image_file(const std::filesystem::path& path) {
  constexpr std::uintmax_t kMaxBytes = std::uintmax_t{1}
                                       << 29;  // no image of kMaxImagePixels needs it
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (!error && size > kMaxBytes) {
    throw InputError(fmt::format("{}: found {} bytes, expected at most {} in an image",
                                 path.string(), size, kMaxBytes));
  }
  return read_file(path);
}

}  // namespace

std::vector<ir::Tensor> ImageDataset::load_files(const std::vector<std::string>& files) const {
  ir::Tensor batch = preprocessor_.make_batch();
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::filesystem::path path = path_of(files[i]);
    DecodedImage decoded = decode_image(read_image_file(path), path.string());
    if (!decoded.warning.empty()) {
      warn(fmt::format("{}: the image is damaged, used as far as it goes: {}", path.string(),
                       decoded.warning));
    }
    preprocessor_.store(resize(std::move(decoded.image), preprocessor_.image_size()),
                        static_cast<std::int64_t>(i), batch);
  }
  return {std::move(batch)};
}

}  // namespace tvmq::data
