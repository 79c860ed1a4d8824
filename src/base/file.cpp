#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
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

constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr std::size_t kRandomDigits = 8;

/// Holds a new temporary file for as long as it is open; where the file system knows no locks, it
/// goes without one. False if someone removed the file meanwhile.
bool lock(int descriptor) {
  while (::flock(descriptor, LOCK_EX) != 0 && errno == EINTR) {
  }
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 && status.st_nlink > 0;
}

/// A rename survives a loss of power once its folder is on disk. Not all file systems can do that.
void sync_folder(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return;
  const Descriptor descriptor(opened);
  ::fsync(descriptor.get());
}

/// Is `name` what AtomicFile calls a temporary file for `file_name`?
bool is_temporary_of(std::string_view name, std::string_view file_name) {
  if (name.size() != file_name.size() + 1 + kRandomDigits + kTemporarySuffix.size() ||
      !name.starts_with(file_name) || !name.ends_with(kTemporarySuffix)) {
    return false;
  }
  name.remove_prefix(file_name.size());
  return name[0] == '.' && name.substr(1, kRandomDigits).find_first_not_of("0123456789abcdef") ==
                               std::string_view::npos;
}

/// Removes the temporary files of runs that were killed while they wrote `path`: those that nobody
/// holds a lock of. What cannot be removed stays; it is in nobody's way.
void remove_stale(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!is_temporary_of(entry->path().filename().string(), path.filename().string())) continue;
    const int opened =
        ::open(entry->path().c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (opened < 0) continue;
    const Descriptor stale(opened);
    struct stat status {};
    if (::fstat(stale.get(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (::flock(stale.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(entry->path().c_str());
  }
}

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
  buffer_.reserve(kBufferBytes);
  remove_stale(path_);
  // Two runs may write the same file at the same moment: each has a temporary file of its own.
  std::random_device entropy;
  for (int attempt = 0; attempt < 16 && descriptor_ < 0; ++attempt) {
    temporary_ = path_;
    temporary_ += fmt::format(".{:08x}{}", entropy(), kTemporarySuffix);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ >= 0 && !lock(descriptor_)) {
      ::close(descriptor_);  // taken for a stale one, and removed, before it was locked
      descriptor_ = -1;
    } else if (descriptor_ < 0 && errno != EEXIST) {
      const int error = errno;
      temporary_.clear();
      fail(path_, "create the file", error);
    }
  }
  if (descriptor_ < 0) fail(path_, "create a temporary file beside it", EEXIST);
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  if (descriptor_ >= 0) ::close(descriptor_);  // last: this gives the lock away
}

void AtomicFile::write(std::string_view bytes) {
  check(!prepared_, "write to a file that is already whole");
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
  if (prepared_) return;
  flush();
  if (::fsync(descriptor_) != 0) fail(path_, "flush to disk", errno);
  prepared_ = true;
}

void AtomicFile::commit() {
  prepare();
  check(!temporary_.empty(), "a file is put in place once");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, "put the file in place", errno);
  temporary_.clear();
  sync_folder(path_);
}

}  // namespace tvmq
