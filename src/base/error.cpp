#include "base/error.h"

#include <fmt/format.h>

namespace tvmq {

InternalError::InternalError(std::string_view message, const char* file, int line)
    : std::logic_error(fmt::format("internal error: {} ({}:{})", message, file, line)) {}

}  // namespace tvmq
