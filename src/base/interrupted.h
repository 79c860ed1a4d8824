// The end that is no failure.
#pragma once

#include <stdexcept>

namespace tvmq {

/// The caller asked for an end (Log::stop_requested); nothing is wrong with what was being done.
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("stopped before the end, as asked") {}
};

}  // namespace tvmq
