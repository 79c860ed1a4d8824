// The values of configuration keys: text to numbers, switches and lists, the same in every locale.
//
// Each function reads the whole text or returns nothing; the caller says what was expected.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tvmq::driver {

/// A decimal whole number within [least, most].
std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t least,
                                          std::int64_t most);
std::optional<std::uint64_t> parse_unsigned(std::string_view text);
/// A decimal number that is finite as a float32 too.
std::optional<double> parse_number(std::string_view text);
/// True or False in any case, 1 or 0.
std::optional<bool> parse_switch(std::string_view text);
/// The items of "[1, 2]", "(1, 2)" or "1, 2", trimmed; "[]" has none. Nothing: unmatched brackets.
std::optional<std::vector<std::string_view>> parse_list(std::string_view text);
std::optional<std::vector<double>> parse_numbers(std::string_view text);
std::optional<std::vector<std::int64_t>> parse_integers(std::string_view text, std::int64_t least,
                                                        std::int64_t most);

/// The one of `known` with the smallest edit distance to `name`, not counting case. REQUIRES: one.
std::string_view nearest_name(std::string_view name, const std::vector<std::string_view>& known);

}  // namespace tvmq::driver
