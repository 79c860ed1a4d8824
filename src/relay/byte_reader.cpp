#include "relay/byte_reader.h"

#include <fmt/format.h>

#include "base/error.h"

namespace tvmq::relay {

std::string_view ByteReader::take(std::uint64_t count, std::string_view what) {
  if (count > remaining()) {
    fail(offset_, fmt::format("{} needs {} bytes, but only {} are left; the file is damaged or was "
                              "cut short, save it again",
                              what, count, remaining()));
  }
  const std::string_view result = bytes_.substr(offset_, static_cast<std::size_t>(count));
  offset_ += result.size();
  return result;
}

void ByteReader::fail(std::size_t offset, std::string_view message) const {
  throw InputError(fmt::format("{}: byte {}: {}", where_, offset, message));
}

}  // namespace tvmq::relay
