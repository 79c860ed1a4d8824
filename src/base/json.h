// Writing JSON: the pieces of text, and a writer that keeps commas and brackets in order.
//
//   JsonWriter json(text);
//   json.begin_object();
//   json.field("name", "resnet20");
//   json.key("ranges").begin_array();
//   for (const float range : ranges) json.value(range);
//   json.end_array();
//   json.end_object();
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tvmq {

/// `text` in quotes. Bytes that are no UTF-8 become U+FFFD, so that every reader takes the file.
std::string json_text(std::string_view text);

/// The fewest digits that read back as the same number; a float also through a double, which is
/// what JSON readers use. "null" for NaN and infinities: JSON has none.
std::string json_number(float value);
std::string json_number(double value);

/// Appends to a string. Containers within kLinesDeep others get a line per element, deeper ones are
/// written on one line.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return begin('{'); }
  JsonWriter& end_object() { return end('}'); }
  JsonWriter& begin_array() { return begin('['); }
  JsonWriter& end_array() { return end(']'); }
  /// The name of the next value. REQUIRES: inside an object, after a value.
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text) { return raw(json_text(text)); }
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool yes) { return raw(yes ? "true" : "false"); }
  JsonWriter& value(float number) { return raw(json_number(number)); }
  JsonWriter& value(double number) { return raw(json_number(number)); }
  template <std::integral T>
  JsonWriter& value(T number) {
    return raw(std::to_string(number));
  }
  JsonWriter& null() { return raw("null"); }
  template <class T>
  JsonWriter& value(const std::vector<T>& elements) {
    begin_array();
    for (const T& element : elements) value(element);
    return end_array();
  }
  template <class T>
  JsonWriter& field(std::string_view name, const T& element) {
    return key(name).value(element);
  }

 private:
  static constexpr std::size_t kLinesDeep = 2;

  JsonWriter& begin(char bracket);
  JsonWriter& end(char bracket);
  JsonWriter& raw(std::string_view text);
  void separate();
  void break_line();

  std::string& out_;
  std::vector<bool> has_elements_;  ///< per open container
  bool after_key_ = false;
};

}  // namespace tvmq
