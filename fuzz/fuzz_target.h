// What every fuzz target has in common.
//
// A target hands bytes to one reader and goes on with what it read as far as the program would. An
// InputError is the right answer to a wrong input; every other exception, a crash, a sanitizer's
// report and a hang are findings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"

/// The entry that libFuzzer calls, and replay.cpp where there is no libFuzzer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tvmq::fuzz {

/// Runs `read` on the bytes as text.
template <class Read>
int try_input(const std::uint8_t* data, std::size_t size, Read&& read) {
  try {
    read(std::string_view(reinterpret_cast<const char*>(data), size));
  } catch (const InputError&) {
    return 0;
  }
  return 0;
}

}  // namespace tvmq::fuzz
