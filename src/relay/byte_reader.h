// Little-endian numbers out of a text of bytes, with the position in every error.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tvmq::relay {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are stored");

class ByteReader {
 public:
  /// `where` names the bytes in errors.
  ByteReader(std::string_view bytes, std::size_t offset, std::string_view where)
      : bytes_(bytes), offset_(offset), where_(where) {}

  [[nodiscard]] std::size_t offset() const { return offset_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - offset_; }

  template <std::integral T>
  T number(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }
  /// The next `count` bytes; an InputError if there are fewer.
  std::string_view take(std::uint64_t count, std::string_view what);
  /// Throws an InputError "WHERE: byte OFFSET: MESSAGE".
  [[noreturn]] void fail(std::size_t offset, std::string_view message) const;

 private:
  std::string_view bytes_;
  std::size_t offset_;
  std::string_view where_;
};

}  // namespace tvmq::relay
