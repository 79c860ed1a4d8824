#include "driver/config_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace tvmq::driver {
namespace {

char lower(char symbol) {
  return symbol >= 'A' && symbol <= 'Z' ? static_cast<char>(symbol - 'A' + 'a') : symbol;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

template <class T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

template <class T, class Parse>
std::optional<std::vector<T>> parse_items(std::string_view text, Parse parse) {
  const auto items = parse_list(text);
  if (!items) return std::nullopt;
  std::vector<T> values;
  for (const std::string_view item : *items) {
    const std::optional<T> value = parse(item);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t least,
                                          std::int64_t most) {
  const auto value = parse_whole<std::int64_t>(text);
  return value && *value >= least && *value <= most ? value : std::nullopt;
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  return parse_whole<std::uint64_t>(text);
}

std::optional<double> parse_number(std::string_view text) {
  const auto value = parse_whole<double>(text);
  const bool usable = value && std::abs(*value) <= std::numeric_limits<float>::max();
  return usable ? value : std::nullopt;
}

std::optional<bool> parse_switch(std::string_view text) {
  if (text == "1" || equal_ignoring_case(text, "true")) return true;
  if (text == "0" || equal_ignoring_case(text, "false")) return false;
  return std::nullopt;
}

std::optional<std::vector<std::string_view>> parse_list(std::string_view text) {
  text = trim(text);
  if (text.starts_with('[') || text.starts_with('(')) {
    if (text.size() < 2 || text.back() != (text.front() == '[' ? ']' : ')')) return std::nullopt;
    text = trim(text.substr(1, text.size() - 2));
  }
  std::vector<std::string_view> items;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    items.push_back(trim(text.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);  // Python allows a comma behind the last item
  }
  return items;
}

std::optional<std::vector<double>> parse_numbers(std::string_view text) {
  return parse_items<double>(text, parse_number);
}

std::optional<std::vector<std::int64_t>> parse_integers(std::string_view text, std::int64_t least,
                                                        std::int64_t most) {
  return parse_items<std::int64_t>(
      text, [&](std::string_view item) { return parse_integer(item, least, most); });
}

std::optional<std::vector<std::string>> parse_patterns(std::string_view text) {
  text = trim(text);
  if (text.starts_with('[') && text.ends_with(']')) text = trim(text.substr(1, text.size() - 2));
  std::vector<std::string> patterns;
  std::size_t start = 0;
  char quote = 0;
  const auto add = [&](std::size_t end) {
    std::string_view item = trim(text.substr(start, end - start));
    const bool quoted = item.size() >= 2 && (item[0] == '"' || item[0] == '\'') &&
                        item.find(item[0], 1) == item.size() - 1;
    if (quoted) item = item.substr(1, item.size() - 2);
    patterns.emplace_back(item);
    start = end + 1;
    return !item.empty();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char symbol = text[i];
    if (symbol == '\\') {
      if (++i == text.size()) return std::nullopt;  // it belongs to a character
    } else if (quote != 0) {
      if (symbol == quote) quote = 0;
    } else if (symbol == '"' || symbol == '\'') {
      quote = symbol;
    } else if (symbol == ',' && !add(i)) {
      return std::nullopt;
    }
  }
  if (quote != 0) return std::nullopt;
  if (start < text.size() && !add(text.size())) return std::nullopt;
  return patterns;
}

}  // namespace tvmq::driver
