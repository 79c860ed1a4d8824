#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "data/image_codecs.h"

namespace tvmq::data {
namespace {

/// Fields at checked positions; outside the file they are 0.
class Fields {
 public:
  Fields(std::string_view bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  [[nodiscard]] std::uint32_t get(std::size_t offset, std::size_t width) const {
    if (offset > bytes_.size() || width > bytes_.size() - offset) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t at = offset + (big_endian_ ? i : width - 1 - i);
      value = value << 8 | static_cast<unsigned char>(bytes_[at]);
    }
    return value;
  }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
  bool big_endian_;
};

/// What TIFF files and EXIF blocks start with: the byte order and 42.
std::optional<Fields> tiff_fields(std::string_view bytes) {
  constexpr std::uint32_t kMark = 42;
  if (!bytes.starts_with("II") && !bytes.starts_with("MM")) return std::nullopt;
  const Fields fields(bytes, bytes.starts_with("MM"));
  return fields.get(2, 2) == kMark ? std::optional(fields) : std::nullopt;
}

/// Calls `visit(tag, position)` for the entries of the first directory: a tag of 2 bytes, a type of
/// 2, a count of 4, then the value or where it is.
template <class Visit>
void visit_tiff_entries(const Fields& fields, Visit visit) {
  constexpr std::size_t kEntryBytes = 12;
  const std::size_t directory = fields.get(4, 4);
  const std::size_t count = fields.get(directory, 2);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = directory + 2 + i * kEntryBytes;
    if (at + kEntryBytes > fields.size()) return;
    visit(fields.get(at, 2), at);
  }
}

/// The number of an entry, of whatever integer type; no less than libtiff makes of it.
std::int64_t tiff_number(const Fields& fields, std::size_t entry) {
  constexpr std::uint32_t kShort = 3;
  constexpr std::uint32_t kLong8 = 16;
  constexpr std::uint32_t kSignedLong8 = 17;
  const std::uint32_t type = fields.get(entry + 2, 2);
  if (type == kShort) return fields.get(entry + 8, 2);
  const std::uint32_t value = fields.get(entry + 8, 4);
  if (type != kLong8 && type != kSignedLong8) return value;
  return std::max(fields.get(value, 4), fields.get(std::size_t{value} + 4, 4));
}

ImageSize bmp_size(const Fields& fields) {
  constexpr std::uint32_t kOldHeaderBytes = 12;
  if (fields.get(14, 4) == kOldHeaderBytes) {
    return {.width = fields.get(18, 2), .height = fields.get(20, 2)};
  }
  const auto height = static_cast<std::int32_t>(fields.get(22, 4));  // negative: rows from the top
  return {.width = static_cast<std::int32_t>(fields.get(18, 4)),
          .height = std::abs(static_cast<std::int64_t>(height))};
}

/// An entry may be there twice: readers take the first or the last, the larger is safe.
ImageSize tiff_size(std::string_view file) {
  const auto fields = tiff_fields(file);
  if (!fields) return {};
  ImageSize image;
  ImageSize tile;
  visit_tiff_entries(*fields, [&](std::uint32_t tag, std::size_t at) {
    const auto grow = [&](std::int64_t& side) { side = std::max(side, tiff_number(*fields, at)); };
    if (tag == 256) grow(image.width);
    if (tag == 257) grow(image.height);
    if (tag == 322) grow(tile.width);
    if (tag == 323) grow(tile.height);
  });
  if (image.width == 0 || image.height == 0) return {};
  return {.width = std::max(image.width, tile.width),
          .height = std::max(image.height, tile.height)};
}

constexpr std::string_view kSpace = " \t\n\v\f\r";

/// The number that starts at `at` or behind it, as OpenCV finds it: the byte behind its digits
/// belongs to it, even a '#'. 0 if there is none.
std::int64_t pnm_number(std::string_view file, std::size_t& at) {
  const auto is_digit = [&] { return at < file.size() && file[at] >= '0' && file[at] <= '9'; };
  while (at < file.size() && !is_digit()) {
    if (file[at] == '#') {
      at = std::min(file.find_first_of("\n\r", at), file.size() - 1);
    } else if (kSpace.find(file[at]) == kSpace.npos) {
      return 0;
    }
    ++at;
  }
  std::int64_t number = 0;
  for (; is_digit(); ++at) {
    number = std::min<std::int64_t>(number * 10 + (file[at] - '0'), INT32_MAX);
  }
  ++at;
  return number;
}

/// "P6 # comment\n640 480\n255\n": the first two numbers.
ImageSize pnm_size(std::string_view file) {
  std::size_t at = 2;
  const std::int64_t width = pnm_number(file, at);
  return {.width = width, .height = pnm_number(file, at)};
}

}  // namespace

// BMP, PNM and TIFF exactly as OpenCV knows them, or stricter: a file that its own decoders of them
// do not take goes to its others, for formats that are none of our business.
std::optional<ImageFormat> detect_image_format(std::string_view head) {
  using namespace std::string_view_literals;
  if (head.starts_with("\xff\xd8\xff"sv)) return ImageFormat::kJpeg;
  if (head.starts_with("\x89PNG\r\n\x1a\n"sv)) return ImageFormat::kPng;
  if (head.starts_with("II\x2a\0"sv) || head.starts_with("MM\0\x2a"sv)) return ImageFormat::kTiff;
  if (head.size() < kImageSignatureBytes) return std::nullopt;
  if (head.starts_with("RIFF") && head.substr(8, 4) == "WEBP") return ImageFormat::kWebp;
  // "BM" alone could start a text: the header's length behind it is one of a few.
  const std::string_view bmp_header = head.substr(14, 2);
  for (const std::string_view known :
       {"\x0c\0"sv, "\x28\0"sv, "\x34\0"sv, "\x38\0"sv, "\x40\0"sv, "\x6c\0"sv, "\x7c\0"sv}) {
    if (head.starts_with("BM") && bmp_header == known) return ImageFormat::kBmp;
  }
  if (head[0] == 'P' && head[1] >= '1' && head[1] <= '6' && kSpace.find(head[2]) != kSpace.npos) {
    return ImageFormat::kPnm;
  }
  return std::nullopt;
}

ImageSize announced_size(ImageFormat format, std::string_view file) {
  const Fields fields(file, false);
  switch (format) {
    case ImageFormat::kBmp:
      return bmp_size(fields);
    case ImageFormat::kPnm:
      return pnm_size(file);
    case ImageFormat::kTiff:
      return tiff_size(file);
    case ImageFormat::kJpeg:
    case ImageFormat::kPng:
    case ImageFormat::kWebp:
      break;
  }
  return {};
}

int exif_orientation(std::string_view exif) {
  constexpr std::uint32_t kOrientation = 0x0112;
  std::optional<std::uint32_t> first;
  if (const auto fields = tiff_fields(exif)) {
    visit_tiff_entries(*fields, [&](std::uint32_t tag, std::size_t at) {
      if (tag == kOrientation && !first) first = fields->get(at + 8, 2);
    });
  }
  return first && *first >= 1 && *first <= 8 ? static_cast<int>(*first) : 1;
}

std::string size_error(ImageSize size, std::uint64_t bytes_per_pixel, std::size_t file_bytes) {
  if (size.width <= 0 || size.height <= 0) return "the header announces no pixels";
  constexpr std::int64_t kMaxSide = 1 << 20;  // cv2.imread's limit
  if (size.width > kMaxSide || size.height > kMaxSide ||
      size.width * size.height > kMaxImagePixels) {
    return fmt::format("the header announces {} x {} pixels, expected at most {} million",
                       size.width, size.height, kMaxImagePixels / 1'000'000);
  }
  const std::uint64_t bytes =
      static_cast<std::uint64_t>(size.width * size.height) * bytes_per_pixel;
  if (bytes <= image_memory(file_bytes)) return "";
  return fmt::format(
      "the header announces {} x {} pixels, which take {} MB of memory, expected at most {} MB for "
      "a file of {} bytes; make the image smaller",
      size.width, size.height, bytes / 1'000'000, image_memory(file_bytes) / 1'000'000, file_bytes);
}

}  // namespace tvmq::data
