// Writes .npy and .npz bytes for the tests: right by default, wrong where a test asks for it.
#pragma once

#include <fmt/format.h>
#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tvmq::data::testing {

inline std::string le(std::uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i, value >>= 8) bytes += static_cast<char>(value & 0xff);
  return bytes;
}

/// A .npy array with this header text and these element bytes, format `version`.0.
inline std::string npy_with_header(std::string_view header, std::string_view elements,
                                   int version = 1) {
  return "\x93NUMPY" + le(static_cast<unsigned>(version), 2) +
         le(header.size(), version == 1 ? 2 : 4) + std::string(header) + std::string(elements);
}

template <class T>
std::string element_bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// `shape` as Python writes it, "(2, 3)".
template <class T>
std::string npy(std::string_view descr, std::string_view shape, const std::vector<T>& values) {
  return npy_with_header(
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}\n", descr, shape),
      element_bytes(values));
}

struct TestMember {
  std::string name;
  std::string content;
  bool deflate = false;
  bool zip64 = false;                 // sizes in the extra field, as numpy.savez forces them
  std::int64_t lie_about_size = 0;    // added to the announced unpacked size
  std::int64_t lie_about_packed = 0;  // added to the announced packed size
  std::uint32_t lie_about_crc = 0;    // xor-ed
  std::uint16_t flags = 0;
  std::uint16_t method = 0xffff;  // 0xffff: the right one
};

inline std::string deflated(const std::string& content) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string zip(const std::vector<TestMember>& members, bool zip64_end = false,
                       const std::string& comment = "") {
  std::string archive;
  std::string directory;
  for (const TestMember& member : members) {
    const std::string packed = member.deflate ? deflated(member.content) : member.content;
    const std::uint64_t size =
        member.content.size() + static_cast<std::uint64_t>(member.lie_about_size);
    const std::uint64_t packed_size =
        packed.size() + static_cast<std::uint64_t>(member.lie_about_packed);
    const unsigned method = member.method != 0xffff ? member.method : member.deflate ? 8 : 0;
    const auto crc = static_cast<std::uint32_t>(
        crc32_z(0, reinterpret_cast<const Bytef*>(member.content.data()), member.content.size()) ^
        member.lie_about_crc);
    const std::string extra =
        member.zip64 ? le(1, 2) + le(16, 2) + le(size, 8) + le(packed_size, 8) : "";
    const std::string common = le(20, 2) + le(member.flags, 2) + le(method, 2) + le(0, 4) +
                               le(crc, 4) + le(member.zip64 ? 0xffffffff : packed_size, 4) +
                               le(member.zip64 ? 0xffffffff : size, 4) + le(member.name.size(), 2) +
                               le(extra.size(), 2);
    directory += le(0x02014b50, 4) + le(20, 2) + common + le(0, 2) + le(0, 2) + le(0, 2) +
                 le(0, 4) + le(archive.size(), 4) + member.name + extra;
    archive += le(0x04034b50, 4) + common + member.name + extra + packed;
  }
  const std::uint64_t offset = archive.size();
  archive += directory;
  if (zip64_end) {
    const std::uint64_t end64 = archive.size();
    archive += le(0x06064b50, 4) + le(44, 8) + le(45, 2) + le(45, 2) + le(0, 4) + le(0, 4) +
               le(members.size(), 8) + le(members.size(), 8) + le(directory.size(), 8) +
               le(offset, 8);
    archive += le(0x07064b50, 4) + le(0, 4) + le(end64, 8) + le(1, 4);
  }
  const std::uint64_t count = zip64_end ? 0xffff : members.size();
  archive += le(0x06054b50, 4) + le(0, 4) + le(count, 2) + le(count, 2) + le(directory.size(), 4) +
             le(zip64_end ? 0xffffffff : offset, 4) + le(comment.size(), 2) + comment;
  return archive;
}

}  // namespace tvmq::data::testing
