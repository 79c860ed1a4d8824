// What somebody meant who wrote a name that there is not.
#pragma once

#include <span>
#include <string_view>

namespace tvmq {

/// The one of `known` with the smallest edit distance to `name`, not counting case; the first of
/// several. REQUIRES: one.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known);

}  // namespace tvmq
