// Runs a fuzz target without libFuzzer: over every file of its corpus, then over mutations of them.
//
//   replay_module CORPUS [MUTATIONS | minutes=N] [first=M]
//
// Mutation number i is the same on every machine. When one is a finding, its number and a file with
// its bytes are named; first=M starts there.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "fuzz_target.h"
#include "mutate.h"

namespace {

namespace fs = std::filesystem;

/// What is being run, for the handler of fatal signals.
std::string current_bytes;
std::uint64_t current_number = 0;

constexpr const char* kFindingFile = "finding.bin";

void save_finding() {
  std::FILE* file = std::fopen(kFindingFile, "wb");
  if (file == nullptr) return;
  std::fwrite(current_bytes.data(), 1, current_bytes.size(), file);
  std::fclose(file);
}

/// The process is lost; what it says on the way is for whoever repairs it.
extern "C" void on_fatal_signal(int signal) {
  save_finding();
  std::fprintf(stderr, "signal %d at input %llu, kept as %s\n", signal,
               static_cast<unsigned long long>(current_number), kFindingFile);
  std::_Exit(1);
}

bool run(std::string bytes, std::string_view what) {
  current_bytes = std::move(bytes);
  try {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(current_bytes.data()),
                           current_bytes.size());
    return true;
  } catch (const std::exception& error) {
    save_finding();
    fmt::print(stderr, "{}: {}; kept as {}\n", what, error.what(), kFindingFile);
  }
  return false;
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty()) {
    fmt::print(stderr, "usage: {} CORPUS [MUTATIONS | minutes=N] [first=M]\n", argv[0]);
    return 2;
  }
  std::uint64_t mutations = 0;
  std::uint64_t first = 0;
  std::chrono::minutes minutes{0};
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view text = arguments[i];
    if (text.starts_with("minutes=")) {
      minutes = std::chrono::minutes(number(text.substr(8)));
    } else if (text.starts_with("first=")) {
      first = number(text.substr(6));
    } else {
      mutations = number(text);
    }
  }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  for (const int signal : {SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGBUS}) {
    std::signal(signal, on_fatal_signal);
  }
#endif

  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(arguments[0])) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const fs::path& file : files) {
    corpus.push_back(tvmq::read_file(file));
    if (!run(corpus.back(), file.string())) return 1;
  }
  if (corpus.empty()) {
    fmt::print(stderr, "{}: no files\n", arguments[0]);
    return 2;
  }

  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + minutes;
  std::uint64_t done = 0;
  for (current_number = first; done < mutations || Clock::now() < end; ++current_number, ++done) {
    if (!run(tvmq::fuzz::mutate(corpus, current_number),
             fmt::format("mutation {}", current_number))) {
      return 1;
    }
  }
  fmt::print("{} files, {} mutations, no finding\n", corpus.size(), done);
  return 0;
}
