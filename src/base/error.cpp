#include "base/error.h"

#include <fmt/format.h>

namespace tvmq {

InternalError::InternalError(std::string_view message, std::source_location where)
    : std::logic_error(
          fmt::format("internal error: {} ({}:{})", message, where.file_name(), where.line())) {}

}  // namespace tvmq
