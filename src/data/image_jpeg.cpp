#include <fmt/format.h>

#include <algorithm>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <new>

// clang-format off: jpeglib.h needs FILE
#include <jerror.h>
#include <jpeglib.h>

#include <cstdio>
// clang-format on

#include "data/image_codecs.h"

namespace tvmq::data {
namespace {

// A file can announce any number of scans over the whole image; encoders write about ten.
constexpr int kMaxScans = 200;

/// libjpeg's hooks, with the state that they share. Plain data: longjmp passes over it.
struct Session {
  jpeg_decompress_struct decoder;
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress;
  std::jmp_buf failed;
  char warning[JMSG_LENGTH_MAX];
  char error[JMSG_LENGTH_MAX];
  bool out_of_memory;
};

Session& session_of(j_common_ptr decoder) { return *static_cast<Session*>(decoder->client_data); }

void on_error(j_common_ptr decoder) {
  Session& session = session_of(decoder);
  session.out_of_memory = decoder->err->msg_code == JERR_OUT_OF_MEMORY;
  decoder->err->format_message(decoder, session.error);
  std::longjmp(session.failed, 1);  // NOLINT(cert-err52-cpp): libjpeg knows no other way
}

void on_message(j_common_ptr decoder, int level) {
  if (level >= 0) return;  // traces
  Session& session = session_of(decoder);
  if (decoder->err->num_warnings++ == 0) decoder->err->format_message(decoder, session.warning);
}

void on_output(j_common_ptr /*decoder*/) {}

void on_progress(j_common_ptr decoder) {
  Session& session = session_of(decoder);
  if (session.decoder.input_scan_number <= kMaxScans) return;
  fmt::format_to_n(session.error, sizeof(session.error) - 1, "more than {} scans", kMaxScans);
  std::longjmp(session.failed, 1);  // NOLINT(cert-err52-cpp)
}

/// Owns the decompressor. The two steps return false on failure, with Session::error set; they
/// hold no C++ objects, so that longjmp skips no destructor.
class Decompressor {
 public:
  explicit Decompressor(std::string_view file) : file_(file) {
    session_.decoder.err = jpeg_std_error(&session_.errors);
    session_.errors.error_exit = on_error;
    session_.errors.emit_message = on_message;
    session_.errors.output_message = on_output;
    session_.progress.progress_monitor = on_progress;
    session_.decoder.client_data = &session_;
  }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { jpeg_destroy_decompress(&session_.decoder); }

  bool read_header() {
    jpeg_decompress_struct& decoder = session_.decoder;
    if (setjmp(session_.failed) != 0) return false;  // NOLINT(cert-err52-cpp)
    jpeg_create_decompress(&decoder);
    decoder.progress = &session_.progress;
    jpeg_mem_src(&decoder, reinterpret_cast<const unsigned char*>(file_.data()), file_.size());
    jpeg_save_markers(&decoder, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(&decoder, TRUE);
    decoder.out_color_space = decoder.num_components == 4 ? JCS_CMYK : JCS_EXT_BGR;
    return true;
  }

  /// What libjpeg keeps of the whole image beside its rows: files of several scans give a part of
  /// every coefficient (16 bits) at a time. Rounded up.
  [[nodiscard]] std::uint64_t coefficient_bytes_per_pixel() {
    jpeg_decompress_struct& decoder = session_.decoder;
    if (jpeg_has_multiple_scans(&decoder) == FALSE) return 0;
    int blocks = 0;
    for (int i = 0; i < decoder.num_components; ++i) {
      blocks += decoder.comp_info[i].h_samp_factor * decoder.comp_info[i].v_samp_factor;
    }
    const int blocks_per_unit = std::max(1, decoder.max_h_samp_factor * decoder.max_v_samp_factor);
    return static_cast<std::uint64_t>((2 * blocks + blocks_per_unit - 1) / blocks_per_unit);
  }

  /// `row` is called with the number and the samples of each row.
  bool read_rows(unsigned char* buffer, void (*row)(const Decompressor&, unsigned, void*),
                 void* context) {
    jpeg_decompress_struct& decoder = session_.decoder;
    if (setjmp(session_.failed) != 0) return false;  // NOLINT(cert-err52-cpp)
    jpeg_start_decompress(&decoder);
    while (decoder.output_scanline < decoder.output_height) {
      const unsigned number = decoder.output_scanline;
      jpeg_read_scanlines(&decoder, &buffer, 1);
      row(*this, number, context);
    }
    jpeg_finish_decompress(&decoder);
    return true;
  }

  [[nodiscard]] const jpeg_decompress_struct& state() const { return session_.decoder; }
  [[nodiscard]] const Session& session() const { return session_; }

 private:
  std::string_view file_;
  Session session_{};
};

/// The formula of cv2.imread for the (inverted) inks of Adobe's files.
void copy_cmyk(const unsigned char* from, std::size_t pixels, std::uint8_t* to) {
  for (std::size_t i = 0; i < pixels; ++i, from += 4, to += 3) {
    const int black = from[3];
    for (int j = 0; j < 3; ++j) {
      to[2 - j] = static_cast<std::uint8_t>(black - ((255 - from[j]) * black >> 8));
    }
  }
}

struct Target {
  std::vector<unsigned char> row;
  std::uint8_t* pixels = nullptr;
  std::size_t width = 0;
};

void store_row(const Decompressor& decompressor, unsigned number, void* context) {
  const auto& target = *static_cast<const Target*>(context);
  std::uint8_t* to = target.pixels + number * target.width * 3;
  if (decompressor.state().output_components == 4) {
    copy_cmyk(target.row.data(), target.width, to);
  } else {
    std::copy_n(target.row.data(), target.width * 3, to);
  }
}

int orientation_of(const jpeg_decompress_struct& decoder) {
  constexpr std::size_t kPrefix = 6;  // "Exif", two zeros
  // Like cv2.imread: only the first APP1 marker counts.
  const jpeg_saved_marker_ptr marker = decoder.marker_list;
  if (marker == nullptr || marker->data_length <= kPrefix) return 1;
  return exif_orientation(
      std::string_view(reinterpret_cast<const char*>(marker->data), marker->data_length)
          .substr(kPrefix));
}

}  // namespace

RawImage decode_jpeg(std::string_view file) {
  RawImage result;
  Decompressor decompressor(file);
  const auto failed = [&] {
    if (decompressor.session().out_of_memory) throw std::bad_alloc();
    return failure(decompressor.session().error);
  };
  if (!decompressor.read_header()) return failed();
  const jpeg_decompress_struct& decoder = decompressor.state();
  result.image.size = {.width = decoder.image_width, .height = decoder.image_height};
  const std::uint64_t bytes_per_pixel = kPixelBytes + decompressor.coefficient_bytes_per_pixel();
  if (std::string error = size_error(result.image.size, bytes_per_pixel, file.size());
      !error.empty()) {
    return failure(error);
  }
  result.orientation = orientation_of(decoder);

  Target target;
  target.width = decoder.image_width;
  target.row.resize(target.width * 4);
  result.image.bgr.resize(target.width * decoder.image_height * 3);
  target.pixels = result.image.bgr.data();
  if (!decompressor.read_rows(target.row.data(), store_row, &target)) return failed();
  result.warning = decompressor.session().warning;
  return result;
}

}  // namespace tvmq::data
