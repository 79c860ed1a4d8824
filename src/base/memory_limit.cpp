#include "base/memory_limit.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

namespace tvmq {
namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

std::uint64_t machine_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return kNoLimit;
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page);
}

std::uint64_t process_limit(decltype(RLIMIT_AS) resource) {
  struct rlimit limit {};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kNoLimit;
  return limit.rlim_cur;
}

}  // namespace

std::uint64_t read_group_limit(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::uint64_t limit = 0;
  return stream >> limit && limit > 0 ? limit : kNoLimit;
}

std::uint64_t memory_limit() {
  return std::min({machine_memory(), process_limit(RLIMIT_AS), process_limit(RLIMIT_DATA),
                   read_group_limit("/sys/fs/cgroup/memory.max"),
                   read_group_limit("/sys/fs/cgroup/memory/memory.limit_in_bytes")});
}

bool has_room(std::size_t bytes) {
  void* const piece =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (piece == MAP_FAILED) return false;
  ::munmap(piece, bytes);
  return true;
}

}  // namespace tvmq
