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

/// Patterns of layer names (quant/layers.h), separated by commas, perhaps in brackets: "conv1,
/// fc*". A comma between quotes, of either kind, does not separate, a pattern that is one quoted
/// text loses its quotes, and a backslash takes the next character as it is (it stays in the
/// pattern, where it does the same). Nothing: quotes without an end, a lonely backslash, an empty
/// pattern.
std::optional<std::vector<std::string>> parse_patterns(std::string_view text);

}  // namespace tvmq::driver
