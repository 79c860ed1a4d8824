#include <png.h>

#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <new>

#include "data/image_codecs.h"

namespace tvmq::data {
namespace {

/// What libpng's hooks share. Plain data: longjmp passes over it.
struct Session {
  const char* file = nullptr;
  std::size_t size = 0;
  std::size_t position = 0;
  char error[256] = "";
  bool out_of_memory = false;
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto& session = *static_cast<Session*>(png_get_error_ptr(png));
  std::strncpy(session.error, message, sizeof(session.error) - 1);
  png_longjmp(png, 1);
}

/// A PNG is read completely or not at all: what remains to warn of are colour profiles and the
/// like.
void on_warning(png_structp /*png*/, png_const_charp /*message*/) {}

void on_read(png_structp png, png_bytep to, std::size_t length) {
  auto& session = *static_cast<Session*>(png_get_io_ptr(png));
  if (length > session.size - session.position) png_error(png, "the file ends early");
  std::memcpy(to, session.file + session.position, length);
  session.position += length;
}

/// Remembers that there was no memory: libpng's own message would not tell, or there is none where
/// it leaves out what does not fit.
png_voidp on_allocate(png_structp png, png_alloc_size_t bytes) {
  void* const memory = std::malloc(bytes);
  if (memory == nullptr) static_cast<Session*>(png_get_mem_ptr(png))->out_of_memory = true;
  return memory;
}
void on_free(png_structp /*png*/, png_voidp memory) { std::free(memory); }

/// The steps return false on failure, with Session::error set; they hold no C++ objects, so that
/// longjmp skips no destructor.
class Reader {
 public:
  explicit Reader(std::string_view file) {
    session_.file = file.data();
    session_.size = file.size();
    png_ = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &session_, on_error, on_warning,
                                    &session_, on_allocate, on_free);
    info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
    end_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&png_, &info_, &end_); }

  bool read_header() {
    if (png_ == nullptr || info_ == nullptr || end_ == nullptr) return false;
    if (setjmp(png_jmpbuf(png_)) != 0) return false;  // NOLINT(cert-err52-cpp)
    png_set_read_fn(png_, &session_, on_read);
    png_read_info(png_, info_);
    return true;
  }

  [[nodiscard]] ImageSize size() const {
    return {.width = png_get_image_width(png_, info_), .height = png_get_image_height(png_, info_)};
  }

  /// To 8-bit BGR without alpha, as cv2.imread asks for it.
  bool read_rows(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;  // NOLINT(cert-err52-cpp)
    const int color_type = png_get_color_type(png_, info_);
    png_set_strip_16(png_);
    png_set_strip_alpha(png_);
    if (color_type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
    if ((color_type & PNG_COLOR_MASK_COLOR) == 0) {
      png_set_expand_gray_1_2_4_to_8(png_);
      png_set_gray_to_rgb(png_);
    } else {
      png_set_bgr(png_);
    }
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    if (png_get_rowbytes(png_, info_) != 3 * static_cast<std::size_t>(size().width)) {
      png_error(png_, "rows are not three bytes per pixel");
    }
    png_read_image(png_, rows);
    png_read_end(png_, end_);
    return true;
  }

  [[nodiscard]] int orientation() {
    for (png_infop info : {info_, end_}) {
      png_bytep exif = nullptr;
      png_uint_32 length = 0;
      if (png_get_eXIf_1(png_, info, &length, &exif) != 0 && length > 0) {
        return exif_orientation({reinterpret_cast<const char*>(exif), length});
      }
    }
    return 1;
  }

  [[nodiscard]] const Session& session() const { return session_; }

 private:
  Session session_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  png_infop end_ = nullptr;
};

}  // namespace

RawImage decode_png(std::string_view file) {
  RawImage result;
  Reader reader(file);
  const bool has_header = reader.read_header();
  if (reader.session().out_of_memory) throw std::bad_alloc();
  if (!has_header) return failure(reader.session().error);
  result.image.size = reader.size();
  if (std::string error = size_error(result.image.size, kPixelBytes, file.size()); !error.empty()) {
    return failure(error);
  }

  const auto stride = static_cast<std::size_t>(result.image.size.width) * 3;
  const auto height = static_cast<std::size_t>(result.image.size.height);
  result.image.bgr.resize(stride * height);
  std::vector<png_bytep> rows(height);
  for (std::size_t y = 0; y < height; ++y) rows[y] = result.image.bgr.data() + y * stride;
  const bool has_rows = reader.read_rows(rows.data());
  if (reader.session().out_of_memory) throw std::bad_alloc();
  if (!has_rows) return failure(reader.session().error);
  result.orientation = reader.orientation();
  return result;
}

}  // namespace tvmq::data
