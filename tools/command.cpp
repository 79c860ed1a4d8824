#include "command.h"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <new>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupted.h"
#include "stop_signal.h"

namespace tvmq {

void add_common_options(CLI::App& app, CommonOptions& options, std::string_view threads_meaning) {
  if (!threads_meaning.empty()) {
    app.add_option("--threads", options.threads, std::string(threads_meaning))
        ->check(CLI::Range(0, 1024))
        ->capture_default_str();
  }
  auto* verbose = app.add_flag("-v,--verbose", options.verbose, "every pass and every layer");
  app.add_flag("-q,--quiet", options.quiet, "warnings and errors only")->excludes(verbose);
}

int guarded(ConsoleLog& log, std::string_view title, const std::function<int()>& work) {
  const auto fail = [&](std::string_view message, ExitCode code) {
    log.error(fmt::format("{}: {}", title, message));
    return code;
  };
  try {
    return work();
  } catch (const Interrupted& interrupted) {
    log.error(fmt::format("{}: {}", title, interrupted.what()));
    return kStoppedBySignal + stop_signal();
  } catch (const InputError& error) {
    return fail(error.what(), kFailed);
  } catch (const std::bad_alloc&) {
    return fail("not enough memory for this model", kFailed);
  } catch (const std::system_error& error) {
    const bool threads = error.code() == std::errc::resource_unavailable_try_again;
    return fail(
        fmt::format("the system refuses: {}{}", error.what(),
                    threads ? "; ask for fewer --threads, or raise the limits of the process" : ""),
        kFailed);
  } catch (const std::exception& error) {
    return fail(error.what(), kInternalError);
  }
}

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw InputError("the standard output cannot be written");
  }
}

void print_or_write(std::string_view text, const std::string& file) {
  if (file.empty()) return print(text);
  AtomicFile out(file);
  out.write(text);
  out.prepare();
  out.commit();
}

}  // namespace tvmq
