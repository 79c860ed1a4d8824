// What the shell sees, of every command.
#pragma once

#include <algorithm>
#include <array>

namespace tvmq {

enum ExitCode : int {
  kSuccess = 0,
  kFailed = 1,         ///< what was asked for could not be done; of several Configs, at least one
  kUsage = 2,          ///< the command line itself
  kInternalError = 3,  ///< our mistake
  kBadResult = 4,      ///< all was done, and a result is not fit for use (docs/report.md)
  kStoppedBySignal = 128,  ///< plus the signal's number, as shells have it: 130 for Ctrl-C
};

/// Of two exit codes: a result that is not fit for use weighs less than one that is not there, and
/// being stopped more than anything.
inline int more_severe(int left, int right) {
  if (left > kStoppedBySignal || right > kStoppedBySignal) return std::max(left, right);
  constexpr std::array kAscending = {kSuccess, kBadResult, kFailed, kUsage, kInternalError};
  const auto rank = [&](int code) { return std::ranges::find(kAscending, code); };
  return rank(left) < rank(right) ? right : left;
}

}  // namespace tvmq
