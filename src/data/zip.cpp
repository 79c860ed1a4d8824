#include "data/zip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace tvmq::data {
namespace {

constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocator64Signature = 0x07064b50;
constexpr std::uint32_t kCentralSignature = 0x02014b50;
constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kLocator64Bytes = 20;
constexpr std::size_t kEnd64Bytes = 56;
constexpr std::size_t kCentralBytes = 46;
constexpr std::size_t kLocalBytes = 30;
constexpr std::uint64_t kIn64 = 0xffffffff;  // "see the zip64 record"
constexpr std::uint16_t kZip64Field = 1;
constexpr std::uint64_t kMaxDeflateRatio = 1032;  // zlib's documentation: 1032:1 in the limit

/// Reads fixed-width little-endian fields; every access is checked.
class Bytes {
 public:
  Bytes(std::string_view bytes, std::string_view name) : bytes_(bytes), name_(name) {}

  [[noreturn]] void fail(std::string_view what) const {
    throw InputError(fmt::format(
        "{}: {}; the archive is damaged or no .npz file, save it again with numpy.savez", name_,
        what));
  }
  [[nodiscard]] std::string_view slice(std::uint64_t offset, std::uint64_t length) const {
    if (offset > bytes_.size() || length > bytes_.size() - offset) {
      fail(fmt::format(
          "bytes {} to {} are referred to, but the file has {}", offset,
          offset + length < offset ? std::numeric_limits<std::uint64_t>::max() : offset + length,
          bytes_.size()));
    }
    return bytes_.substr(offset, length);
  }
  template <class T>
  [[nodiscard]] T field(std::uint64_t offset) const {
    const std::string_view raw = slice(offset, sizeof(T));
    T value = 0;
    for (std::size_t i = sizeof(T); i-- > 0;) {
      value = static_cast<T>(static_cast<std::uint64_t>(value) << 8 |
                             static_cast<unsigned char>(raw[i]));
    }
    return value;
  }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
  std::string_view name_;
};

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t entries = 0;
};

/// The end record is the last thing in the file but for a comment of up to 65,535 bytes.
std::uint64_t find_end(const Bytes& archive) {
  if (archive.size() >= kEndBytes) {
    const std::uint64_t last = archive.size() - kEndBytes;
    const std::uint64_t first = last - std::min<std::uint64_t>(last, 0xffff);
    for (std::uint64_t at = last + 1; at-- > first;) {
      if (archive.field<std::uint32_t>(at) == kEndSignature &&
          archive.field<std::uint16_t>(at + 20) == last - at) {
        return at;
      }
    }
  }
  archive.fail("no end of a zip directory found");
}

Directory find_directory(const Bytes& archive) {
  const std::uint64_t end = find_end(archive);
  Directory directory{.offset = archive.field<std::uint32_t>(end + 16),
                      .entries = archive.field<std::uint16_t>(end + 10)};
  if (directory.offset != kIn64 && directory.entries != 0xffff) return directory;
  if (end < kLocator64Bytes) return directory;
  const std::uint64_t locator = end - kLocator64Bytes;
  if (archive.field<std::uint32_t>(locator) != kLocator64Signature) return directory;
  const auto end64 = archive.field<std::uint64_t>(locator + 8);
  static_cast<void>(archive.slice(end64, kEnd64Bytes));
  if (archive.field<std::uint32_t>(end64) != kEnd64Signature) {
    archive.fail("the zip64 end record is not where it should be");
  }
  return {.offset = archive.field<std::uint64_t>(end64 + 48),
          .entries = archive.field<std::uint64_t>(end64 + 32)};
}

struct Sizes {
  std::uint64_t unpacked = 0;
  std::uint64_t packed = 0;
  std::uint64_t local_offset = 0;
};

/// Replaces those of `sizes` that say "see the zip64 record" by the record's values.
void apply_zip64(std::string_view extra, std::string_view name, Sizes& sizes) {
  const Bytes fields(extra, name);
  std::uint64_t at = 0;
  while (at + 4 <= extra.size()) {
    const auto id = fields.field<std::uint16_t>(at);
    const auto length = fields.field<std::uint16_t>(at + 2);
    const Bytes body(fields.slice(at + 4, length), name);
    at += 4 + static_cast<std::uint64_t>(length);
    if (id != kZip64Field) continue;
    std::uint64_t next = 0;
    for (std::uint64_t* value : {&sizes.unpacked, &sizes.packed, &sizes.local_offset}) {
      if (*value != kIn64) continue;
      *value = body.field<std::uint64_t>(next);
      next += 8;
    }
    return;
  }
}

std::string_view member_bytes(const Bytes& archive, const Sizes& sizes) {
  static_cast<void>(archive.slice(sizes.local_offset, kLocalBytes));
  if (archive.field<std::uint32_t>(sizes.local_offset) != kLocalSignature) {
    archive.fail(fmt::format("no member starts at byte {}", sizes.local_offset));
  }
  const std::uint64_t names = archive.field<std::uint16_t>(sizes.local_offset + 26) +
                              std::uint64_t{archive.field<std::uint16_t>(sizes.local_offset + 28)};
  return archive.slice(sizes.local_offset + kLocalBytes + names, sizes.packed);
}

/// Inflates into `out`, whose size is the announced one; true if both ended together.
bool inflate_all(std::string_view packed, std::string& out) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  // zlib counts in 32 bits: feed it in parts.
  constexpr std::size_t kPart = 1U << 30;
  std::size_t read = 0;
  std::size_t written = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    const auto in_part = std::min(kPart, packed.size() - read);
    const auto out_part = std::min(kPart, out.size() - written);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + read));
    stream.avail_in = static_cast<uInt>(in_part);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + written);
    stream.avail_out = static_cast<uInt>(out_part);
    status = inflate(&stream, Z_NO_FLUSH);  // Z_BUF_ERROR when no progress is possible
    read += in_part - stream.avail_in;
    written += out_part - stream.avail_out;
  }
  inflateEnd(&stream);
  if (status == Z_MEM_ERROR) throw std::bad_alloc();
  return status == Z_STREAM_END && read == packed.size() && written == out.size();
}

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

std::vector<ZipMember> read_zip_directory(std::string_view archive_bytes,
                                          std::string_view name_for_errors) {
  const Bytes archive(archive_bytes, name_for_errors);
  const Directory directory = find_directory(archive);
  if (directory.entries > archive.size() / kCentralBytes) {
    archive.fail(
        fmt::format("{} members announced, more than the file has room for", directory.entries));
  }
  std::vector<ZipMember> members;
  members.reserve(directory.entries);
  std::uint64_t at = directory.offset;
  std::uint64_t packed_bytes = 0;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    const Bytes entry(archive.slice(at, kCentralBytes), name_for_errors);
    if (entry.field<std::uint32_t>(0) != kCentralSignature) {
      archive.fail(fmt::format("entry {} of the directory is not at byte {}", i, at));
    }
    const std::uint64_t name_bytes = entry.field<std::uint16_t>(28);
    const std::uint64_t extra_bytes = entry.field<std::uint16_t>(30);
    const std::uint64_t comment_bytes = entry.field<std::uint16_t>(32);
    ZipMember member;
    member.name = archive.slice(at + kCentralBytes, name_bytes);
    if ((entry.field<std::uint16_t>(8) & 1U) != 0) archive.fail("a member is encrypted");
    const auto method = entry.field<std::uint16_t>(10);
    if (method != 0 && method != 8) {
      archive.fail(
          fmt::format("a member is packed with method {}, expected 0 (stored) or 8 "
                      "(deflated)",
                      method));
    }
    member.deflated = method == 8;
    member.crc = entry.field<std::uint32_t>(16);
    Sizes sizes{.unpacked = entry.field<std::uint32_t>(24),
                .packed = entry.field<std::uint32_t>(20),
                .local_offset = entry.field<std::uint32_t>(42)};
    apply_zip64(archive.slice(at + kCentralBytes + name_bytes, extra_bytes), name_for_errors,
                sizes);
    member.size = sizes.unpacked;
    member.packed = member_bytes(archive, sizes);
    packed_bytes +=
        sizes.packed;  // no overflow: each is at most the file's size, and so is the sum
    if (packed_bytes > archive.size()) archive.fail("members share bytes");
    members.push_back(std::move(member));
    at += kCentralBytes + name_bytes + extra_bytes + comment_bytes;
  }
  return members;
}

std::string unpack(const ZipMember& member, std::string_view name_for_errors) {
  const Bytes archive(member.packed, name_for_errors);
  const std::uint64_t most =
      member.deflated ? (member.packed.size() + 1) * kMaxDeflateRatio : member.packed.size();
  if (member.size > most || (!member.deflated && member.size != member.packed.size())) {
    archive.fail(fmt::format("{} bytes announced, but {} packed bytes cannot hold them",
                             member.size, member.packed.size()));
  }
  std::string bytes;
  if (member.deflated) {
    bytes.resize(member.size);
    if (!inflate_all(member.packed, bytes)) archive.fail("a member cannot be unpacked");
  } else {
    bytes = member.packed;
  }
  if (checksum(bytes) != member.crc) archive.fail("a member has the wrong checksum");
  return bytes;
}

}  // namespace tvmq::data
