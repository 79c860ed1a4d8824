// Whole files in and out. Every failure is an InputError that names the path and the reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace tvmq {

/// The bytes of a regular file. Refuses directories, devices and pipes.
/// `trailing_zeros` bytes of value 0 are reserved behind the text (simdjson wants padding).
std::string read_file(const std::filesystem::path& path, std::size_t trailing_zeros = 0);

/// A file that appears whole or not at all: bytes go to a temporary file beside `path`, commit()
/// flushes it to disk and renames it. Without commit() the destructor removes the temporary file
/// and an existing file at `path` stays as it was.
///
/// A program that is killed leaves its temporary file, `path`.XXXXXXXX.tmp; the next AtomicFile for
/// the same path removes it, but never one that a living program still writes (it holds a lock).
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::string_view bytes);
  /// Bytes handed to write() so far.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Flushes the temporary file to disk, but does not put it in place yet; call it on every file
  /// of a set before the first commit(), so that a full disk is noticed while the old set is whole.
  void prepare();
  void commit();
  /// Where the bytes are until commit(); after prepare() they can be read back from there.
  [[nodiscard]] const std::filesystem::path& temporary_path() const { return temporary_; }

 private:
  void flush();

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  bool prepared_ = false;
  std::uint64_t size_ = 0;
  std::string buffer_;
};

}  // namespace tvmq
