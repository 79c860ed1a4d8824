#include "data/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace tvmq::data {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxRank = 32;  // NumPy 1.x knows no more

struct Descr {
  std::string_view code;
  ir::DType dtype;
};

constexpr Descr kDescrs[] = {
    {"b1", ir::DType::kBool},    {"i1", ir::DType::kInt8},    {"i2", ir::DType::kInt16},
    {"i4", ir::DType::kInt32},   {"i8", ir::DType::kInt64},   {"u1", ir::DType::kUInt8},
    {"u2", ir::DType::kUInt16},  {"u4", ir::DType::kUInt32},  {"u8", ir::DType::kUInt64},
    {"f2", ir::DType::kFloat16}, {"f4", ir::DType::kFloat32}, {"f8", ir::DType::kFloat64},
};

/// Walks over the Python dictionary that makes up the header.
class HeaderText {
 public:
  HeaderText(std::string_view text, std::string_view name) : rest_(text), name_(name) {}

  [[noreturn]] void fail(std::string_view found) const {
    throw InputError(fmt::format(
        "{}: {} in the header of the .npy array, expected a dictionary of descr, fortran_order and "
        "shape; save the array again with numpy.save",
        name_, found));
  }
  bool take(char symbol) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != symbol) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char symbol) {
    if (!take(symbol)) fail(fmt::format("no '{}'", symbol));
  }
  bool take_word(std::string_view word) {
    skip_blanks();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::optional<std::string_view> take_string() {
    skip_blanks();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) return std::nullopt;
    const std::size_t end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) fail("a text without an end");
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }
  std::int64_t take_dimension() {
    skip_blanks();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc() || value < 0) fail("a dimension that is no number of elements");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    take('L');  // Python 2 wrote 3L
    return value;
  }
  bool at_end() {
    skip_blanks();
    return rest_.empty();
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n')) {
      rest_.remove_prefix(1);
    }
  }

  std::string_view rest_;
  std::string_view name_;
};

/// At most this much of a file's text goes into a message.
std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 40;
  std::string shown(text.substr(0, kShown));
  for (char& symbol : shown) {
    if (symbol < ' ' || symbol > '~') symbol = '?';
  }
  return fmt::format("'{}{}'", shown, text.size() > kShown ? "..." : "");
}

ir::DType dtype_of(std::string_view descr, std::string_view name) {
  const char order = descr.empty() ? ' ' : descr.front();
  for (const Descr& known : kDescrs) {
    if ((order == '<' || order == '|') && descr.substr(1) == known.code) return known.dtype;
  }
  throw InputError(fmt::format(
      "{}: found elements of NumPy type {}, expected {}; convert with astype('float32')", name,
      quoted(descr),
      order == '>' ? "little-endian ones"
                   : "bool, int8 to int64, uint8 to uint64, float16, float32 or float64"));
}

ir::Shape take_shape(HeaderText& text) {
  ir::Shape shape;
  text.expect('(');
  while (!text.take(')')) {
    if (shape.size() == kMaxRank) text.fail("more than 32 dimensions");
    shape.push_back(text.take_dimension());
    if (!text.take(',')) {
      text.expect(')');
      break;
    }
  }
  return shape;
}

void parse_dictionary(std::string_view header_text, std::string_view name, NpyHeader& header) {
  HeaderText text(header_text, name);
  bool has_order = false;
  bool has_shape = false;
  text.expect('{');
  while (!text.take('}')) {
    const auto key = text.take_string();
    if (!key) text.fail("no key");
    text.expect(':');
    if (*key == "descr") {
      const auto descr = text.take_string();
      if (!descr) text.fail("a structured element type");
      header.dtype = dtype_of(*descr, name);
    } else if (*key == "fortran_order") {
      header.fortran_order = text.take_word("True");
      if (!header.fortran_order && !text.take_word("False")) text.fail("no True or False");
      has_order = true;
    } else if (*key == "shape") {
      header.shape = take_shape(text);
      has_shape = true;
    } else {
      text.fail("the unknown key " + quoted(*key));
    }
    if (!text.take(',')) {
      text.expect('}');
      break;
    }
  }
  if (!text.at_end()) text.fail("text behind the dictionary");
  if (header.dtype == ir::DType::kVoid) text.fail("no descr");
  if (!has_order) text.fail("no fortran_order");
  if (!has_shape) text.fail("no shape");
}

std::size_t little_endian(std::string_view bytes) {
  std::size_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

/// Copies elements whose first index runs fastest into row-major order.
void copy_fortran(const char* from, ir::Tensor& to) {
  const std::size_t size = ir::dtype_size(to.dtype());
  const ir::Shape& shape = to.shape();
  ir::Shape strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    strides[i] = stride;
    stride *= shape[i];
  }
  ir::Shape index(shape.size());
  std::int64_t source = 0;
  for (std::int64_t i = 0; i < to.size(); ++i) {
    std::memcpy(to.mutable_bytes() + static_cast<std::size_t>(i) * size,
                from + static_cast<std::size_t>(source) * size, size);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      source += strides[axis];
      if (++index[axis] < shape[axis]) break;
      source -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

}  // namespace

NpyHeader parse_npy_header(std::string_view bytes, std::string_view name_for_errors) {
  if (!bytes.starts_with(kMagic)) {
    throw InputError(
        fmt::format("{}: the .npy array does not start with \\x93NUMPY; save it with "
                    "numpy.save",
                    name_for_errors));
  }
  const auto truncated = [&](std::size_t needed) {
    return InputError(fmt::format(
        "{}: found {} bytes, expected a header of {}; the .npy array is truncated, save it again",
        name_for_errors, bytes.size(), needed));
  };
  const std::size_t fixed = kMagic.size() + 2;
  if (bytes.size() < fixed) throw truncated(fixed);
  const int major = static_cast<unsigned char>(bytes[kMagic.size()]);
  if (major < 1 || major > 3) {
    throw InputError(fmt::format("{}: found version {} of the .npy format, expected 1, 2 or 3",
                                 name_for_errors, major));
  }
  const std::size_t width = major == 1 ? 2 : 4;
  if (bytes.size() < fixed + width) throw truncated(fixed + width);
  const std::size_t length = little_endian(bytes.substr(fixed, width));
  NpyHeader header;
  header.data_offset = fixed + width + length;
  if (bytes.size() < header.data_offset) throw truncated(header.data_offset);

  parse_dictionary(bytes.substr(fixed + width, length), name_for_errors, header);
  const auto count = ir::element_count(header.shape);
  if (!count || __builtin_mul_overflow(static_cast<std::size_t>(*count),
                                       ir::dtype_size(header.dtype), &header.data_bytes)) {
    throw InputError(fmt::format("{}: the shape {} has more elements than any memory holds",
                                 name_for_errors, ir::to_string(header.shape)));
  }
  return header;
}

ir::Tensor parse_npy(std::string_view bytes, std::string_view name_for_errors) {
  NpyHeader header = parse_npy_header(bytes, name_for_errors);
  const std::string_view elements = bytes.substr(header.data_offset);
  if (elements.size() != header.data_bytes) {
    throw InputError(fmt::format("{}: found {} bytes of elements, expected {} for {}{}; {}",
                                 name_for_errors, elements.size(), header.data_bytes,
                                 ir::dtype_name(header.dtype), ir::to_string(header.shape),
                                 elements.size() < header.data_bytes
                                     ? "the array is truncated, save it again"
                                     : "save one array per file"));
  }
  ir::Tensor tensor(header.dtype, std::move(header.shape));
  if (header.fortran_order && tensor.rank() > 1) {
    copy_fortran(elements.data(), tensor);
  } else if (!elements.empty()) {
    std::memcpy(tensor.mutable_bytes(), elements.data(), elements.size());
  }
  if (tensor.dtype() == ir::DType::kBool) {
    std::byte* values = tensor.mutable_bytes();
    std::transform(values, values + tensor.byte_size(), values,
                   [](std::byte value) { return std::byte{value != std::byte{0}}; });
  }
  return tensor;
}

ir::Tensor read_npy(const std::filesystem::path& path) {
  return parse_npy(read_file(path), path.string());
}

}  // namespace tvmq::data
