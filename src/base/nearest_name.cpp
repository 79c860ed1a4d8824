#include "base/nearest_name.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/error.h"

namespace tvmq {
namespace {

char lower(char symbol) {
  return symbol >= 'A' && symbol <= 'Z' ? static_cast<char>(symbol - 'A' + 'a') : symbol;
}

/// Levenshtein's, one row at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known) {
  check(!known.empty(), "something to be near to");
  // Names from files are not to be trusted: the time is that of the product of both lengths.
  constexpr std::size_t kMostBytes = 64;
  const std::string_view shown = name.substr(0, kMostBytes);
  return *std::min_element(known.begin(), known.end(), [&](std::string_view a, std::string_view b) {
    return edit_distance(shown, a.substr(0, kMostBytes)) <
           edit_distance(shown, b.substr(0, kMostBytes));
  });
}

}  // namespace tvmq
