// The members of a zip archive in memory: stored or deflated, with zip64. Just what .npz needs.
//
// Format: PKWARE's APPNOTE.TXT 6.3, sections 4.3.7 (local header), 4.3.12 (central directory),
// 4.3.14 to 4.3.16 (its end), 4.5.3 (zip64 sizes).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tvmq::data {

struct ZipMember {
  std::string name;
  bool deflated = false;
  std::uint32_t crc = 0;
  std::uint64_t size = 0;   ///< bytes once unpacked, as announced
  std::string_view packed;  ///< inside the archive's bytes
};

/// The archive's directory. Every offset and length has been checked against `archive`, and members
/// do not add up to more packed bytes than the archive has. InputError names the archive.
std::vector<ZipMember> read_zip_directory(std::string_view archive,
                                          std::string_view name_for_errors);

/// The member's bytes, checked against the announced size and checksum. Allocates no more than that
/// size; and refuses one that `packed` cannot hold.
std::string unpack(const ZipMember& member, std::string_view name_for_errors);

}  // namespace tvmq::data
