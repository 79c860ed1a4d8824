// How much memory a piece of code takes.
#pragma once

#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

namespace tvmq::support {

/// Of this process, from here on.
class ProcessMemory {
 public:
  ProcessMemory() {
    malloc_trim(0);  // what others have left would be used again, and not be seen
    std::ofstream("/proc/self/clear_refs") << "5";  // VmHWM starts again from what is in use
    before_ = bytes_in("VmRSS:");
  }

  /// The most bytes in use at one time, beyond those at the start.
  [[nodiscard]] std::uint64_t most() const {
    const std::uint64_t most = bytes_in("VmHWM:");
    return most - std::min(before_, most);
  }

 private:
  static std::uint64_t bytes_in(std::string_view field) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
      std::uint64_t kilobytes = 0;
      if (word == field && status >> kilobytes) return kilobytes * 1024;
    }
    return 0;
  }

  std::uint64_t before_ = 0;
};

}  // namespace tvmq::support
