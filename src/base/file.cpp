#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <utility>

#include "base/error.h"

namespace tvmq {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view action, int error) {
  throw InputError(fmt::format("{}: cannot {}: {}", path.string(), action, std::strerror(error)));
}

/// Closes a descriptor on every way out of a function.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(value_); }
  [[nodiscard]] int get() const { return value_; }

 private:
  int value_;
};

}  // namespace

std::string read_file(const std::filesystem::path& path, std::size_t trailing_zeros) {
  // O_NONBLOCK: opening a pipe nobody writes to must not hang; it is refused below.
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (opened < 0) fail(path, "open the file for reading", errno);
  const Descriptor file(opened);

  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail(path, "read the file's size", errno);
  if (!S_ISREG(status.st_mode)) {
    throw InputError(fmt::format("{}: expected a regular file, found {}", path.string(),
                                 S_ISDIR(status.st_mode) ? "a directory" : "a special file"));
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  std::string bytes;
  bytes.reserve(size + trailing_zeros);
  bytes.resize(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(file.get(), bytes.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path, "read", errno);
    if (got == 0) {
      throw InputError(
          fmt::format("{}: only {} of {} bytes could be read; the file was shortened "
                      "while it was being read",
                      path.string(), done, size));
    }
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  // Two runs may write the same file at the same moment: each has a temporary file of its own.
  std::random_device entropy;
  for (int attempt = 0; attempt < 16 && descriptor_ < 0; ++attempt) {
    temporary_ = path_;
    temporary_ += fmt::format(".{:08x}.tmp", entropy());
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) fail(path_, "create the file", errno);
  }
  if (descriptor_ < 0) fail(path_, "create a temporary file beside it", EEXIST);
  buffer_.reserve(kBufferBytes);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) {
  check(descriptor_ >= 0, "write to a file that is already closed");
  size_ += bytes.size();
  while (!bytes.empty()) {
    const std::size_t part = std::min(bytes.size(), kBufferBytes - buffer_.size());
    buffer_.append(bytes.substr(0, part));
    bytes.remove_prefix(part);
    if (buffer_.size() == kBufferBytes) flush();
  }
}

void AtomicFile::flush() {
  std::size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t wrote = ::write(descriptor_, buffer_.data() + done, buffer_.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) fail(path_, "write", errno);
    done += static_cast<std::size_t>(wrote);
  }
  buffer_.clear();
}

void AtomicFile::prepare() {
  if (descriptor_ < 0) return;
  flush();
  if (::fsync(descriptor_) != 0) fail(path_, "flush to disk", errno);
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail(path_, "close", errno);
}

void AtomicFile::commit() {
  prepare();
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, "put the file in place", errno);
  temporary_.clear();
}

}  // namespace tvmq
