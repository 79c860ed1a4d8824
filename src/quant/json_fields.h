// Reading the fields of a JSON object that people may have edited: every error names the place.
#pragma once

#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tvmq::quant {

/// Largest count that JSON readers and doubles keep exact.
inline constexpr std::int64_t kMaxCount = std::int64_t{1} << 53;

/// The smallest double that rounds to infinity as a float.
inline constexpr double kFloatOverflow = 0x1.ffffffp127;

/// A JSON object whose fields are taken one by one; every error names the object.
class Fields {
 public:
  Fields(simdjson::dom::element element, std::string where) : where_(std::move(where)) {
    if (element.get(object_) != simdjson::SUCCESS) fail("expected an object {...}");
    for (const auto& [name, value] : object_) {
      for (const std::string_view seen : names_) {
        if (seen == name) fail(fmt::format("field '{}' occurs twice", name));
      }
      names_.push_back(name);
    }
  }

  [[noreturn]] void fail(std::string_view what) const {
    throw InputError(
        fmt::format("{}: {}; correct the file, or delete it to calibrate anew", where_, what));
  }

  std::optional<simdjson::dom::element> find(std::string_view name) {
    std::erase(names_, name);
    simdjson::dom::element value;
    if (object_.at_key(name).get(value) != simdjson::SUCCESS) return std::nullopt;
    return value;
  }
  simdjson::dom::element get(std::string_view name) {
    const auto value = find(name);
    if (!value) fail(fmt::format("field '{}' is missing", name));
    return *value;
  }

  std::string text(std::string_view name) {
    std::string_view value;
    if (get(name).get(value) != simdjson::SUCCESS) fail(fmt::format("'{}' must be text", name));
    return std::string(value);
  }
  std::int64_t count(std::string_view name) {
    std::int64_t value = 0;
    if (get(name).get(value) != simdjson::SUCCESS || value < 0 || value > kMaxCount) {
      fail(fmt::format("'{}' must be an integer of 0 .. 2^53", name));
    }
    return value;
  }
  float finite(std::string_view name) { return to_float(name, get(name)); }
  bool flag(std::string_view name) {
    bool value = false;
    if (get(name).get(value) != simdjson::SUCCESS)
      fail(fmt::format("'{}' must be true or false", name));
    return value;
  }
  /// A list of text.
  std::vector<std::string> texts(std::string_view name) {
    std::vector<std::string> result;
    for (const simdjson::dom::element each : array(name)) {
      std::string_view value;
      if (each.get(value) != simdjson::SUCCESS) fail(fmt::format("'{}' must hold text", name));
      result.emplace_back(value);
    }
    return result;
  }
  /// A list of finite numbers.
  std::vector<double> numbers(std::string_view name) { return to_numbers(name, get(name)); }
  simdjson::dom::array array(std::string_view name) { return to_array(name, get(name)); }
  std::optional<simdjson::dom::array> optional_array(std::string_view name) {
    const auto value = find(name);
    return value ? std::optional(to_array(name, *value)) : std::nullopt;
  }

  [[nodiscard]] std::vector<double> to_numbers(std::string_view name,
                                               simdjson::dom::element element) const {
    std::vector<double> result;
    for (const simdjson::dom::element each : to_array(name, element)) {
      double value = 0;
      if (each.get(value) != simdjson::SUCCESS || !std::isfinite(value)) {
        fail(fmt::format("'{}' must hold numbers", name));
      }
      result.push_back(value);
    }
    return result;
  }

  /// Call last: what was not asked for is not ours.
  void require_all_known() const {
    if (!names_.empty()) fail(fmt::format("unknown field '{}'", names_.front()));
  }

 private:
  [[nodiscard]] float to_float(std::string_view name, simdjson::dom::element element) const {
    double value = 0;
    if (element.get(value) != simdjson::SUCCESS || !std::isfinite(value) ||
        std::fabs(value) >= kFloatOverflow) {
      fail(fmt::format("'{}' must be a number that float32 holds", name));
    }
    return static_cast<float>(value);
  }
  [[nodiscard]] simdjson::dom::array to_array(std::string_view name,
                                              simdjson::dom::element element) const {
    simdjson::dom::array value;
    if (element.get(value) != simdjson::SUCCESS) fail(fmt::format("'{}' must be a list", name));
    return value;
  }

  std::string where_;
  simdjson::dom::object object_;
  std::vector<std::string_view> names_;
};

}  // namespace tvmq::quant
