// Runs a fuzz target without libFuzzer: over every file of its corpus, then over mutations of them.
//
//   replay_module CORPUS... [MUTATIONS | minutes=N] [first=M]
//
// Mutation number i is the same on every machine. When one is a finding, its number and a file with
// its bytes are named; first=M starts there. Findings are crashes, what is no InputError, more than
// a minute of time, and more than 8 times the input and 256 MB of memory.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "fuzz_target.h"
#include "mutate.h"

namespace {

namespace fs = std::filesystem;

/// What is being run, for the handler of fatal signals.
std::string current_bytes;
std::uint64_t current_number = 0;

constexpr const char* kFindingFile = "finding.bin";
constexpr unsigned kMostSeconds = 60;
constexpr std::size_t kMostBytes = 256'000'000;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitizer = true;  // has memory and handlers of its own
#else
constexpr bool kSanitizer = false;
#endif

/// The most memory that this process has had in use, in bytes.
std::size_t peak_memory() {
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

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

/// `memory_before`: of the process when it had read its corpus. Only what raises the peak can be
/// told apart, which is enough: the first input that takes too much does.
bool run(std::string bytes, std::string_view what, std::size_t memory_before) {
  current_bytes = std::move(bytes);
  const std::size_t peak_before = peak_memory();
  ::alarm(kMostSeconds);
  try {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(current_bytes.data()),
                           current_bytes.size());
    const std::size_t peak = peak_memory();
    const std::size_t most = memory_before + kMostBytes + 8 * current_bytes.size();
    if (kSanitizer || peak == peak_before || peak <= most) return true;
    save_finding();
    fmt::print(stderr, "{}: {} bytes took {} MB of memory; kept as {}\n", what,
               current_bytes.size(), (peak - memory_before) / 1'000'000, kFindingFile);
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
    fmt::print(stderr, "usage: {} CORPUS... [MUTATIONS | minutes=N] [first=M]\n", argv[0]);
    return 2;
  }
  std::uint64_t mutations = 0;
  std::uint64_t first = 0;
  std::chrono::minutes minutes{0};
  std::vector<fs::path> folders;
  for (const std::string_view text : arguments) {
    if (text.starts_with("minutes=")) {
      minutes = std::chrono::minutes(number(text.substr(8)));
    } else if (text.starts_with("first=")) {
      first = number(text.substr(6));
    } else if (text.find_first_not_of("0123456789") == std::string_view::npos) {
      mutations = number(text);
    } else {
      folders.emplace_back(text);
    }
  }
  std::signal(SIGALRM, on_fatal_signal);
  if (!kSanitizer) {
    for (const int signal : {SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGBUS}) {
      std::signal(signal, on_fatal_signal);
    }
  }

  const std::vector<std::string> corpus = tvmq::fuzz::read_corpus(folders);
  if (corpus.empty()) {
    fmt::print(stderr, "{}: no files\n", fmt::join(arguments, " "));
    return 2;
  }
  const std::size_t memory = peak_memory();
  for (std::size_t i = 0; i < corpus.size(); ++i) {
    if (!run(corpus[i], fmt::format("file {} of the corpus", i), memory)) return 1;
  }

  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + minutes;
  std::uint64_t done = 0;
  for (current_number = first; done < mutations || Clock::now() < end; ++current_number, ++done) {
    if (!run(tvmq::fuzz::mutate(corpus, current_number), fmt::format("mutation {}", current_number),
             memory)) {
      return 1;
    }
  }
  fmt::print("{} files, {} mutations, no finding\n", corpus.size(), done);
  return 0;
}
