#include "driver/config_xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <pugixml.hpp>

#include "base/error.h"

namespace tvmq::driver {
namespace {

/// Offsets into the text as line numbers.
class Lines {
 public:
  explicit Lines(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') ends_.push_back(static_cast<std::ptrdiff_t>(i));
    }
  }
  [[nodiscard]] int of(std::ptrdiff_t offset) const {
    return static_cast<int>(std::lower_bound(ends_.begin(), ends_.end(), offset) - ends_.begin()) +
           1;
  }

 private:
  std::vector<std::ptrdiff_t> ends_;
};

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kBlanks) - first + 1));
}

// Recursion ends at kXmlLevels, whatever the file's nesting.
XmlElement convert(const pugi::xml_node& node, const Lines& lines, int level) {
  XmlElement element;
  element.name = node.name();
  element.line = lines.of(node.offset_debug());
  element.has_attributes = !node.attributes().empty();
  std::string text;
  for (const pugi::xml_node& child : node.children()) {
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
      text += child.value();
    } else if (child.type() == pugi::node_element && level < kXmlLevels) {
      element.children.push_back(convert(child, lines, level + 1));
    }
  }
  element.text = trimmed(text);
  return element;
}

}  // namespace

XmlElement parse_xml(std::string_view xml, std::string_view name_for_errors) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (xml.starts_with(kByteOrderMark)) xml.remove_prefix(kByteOrderMark.size());
  if (xml.starts_with("\xff\xfe") || xml.starts_with("\xfe\xff")) {
    throw InputError(fmt::format("{}: found UTF-16, expected UTF-8; save the file in that encoding",
                                 name_for_errors));
  }
  const Lines lines(xml);
  pugi::xml_document document;
  const pugi::xml_parse_result result =
      document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8);
  if (result.status != pugi::status_ok) {
    throw InputError(fmt::format("{}:{}: the XML is not well-formed: {}", name_for_errors,
                                 lines.of(result.offset), result.description()));
  }
  pugi::xml_node root;
  for (const pugi::xml_node& node : document.children()) {
    if (node.type() != pugi::node_element) continue;
    if (root) {
      throw InputError(fmt::format("{}:{}: found a second root element <{}>, expected one",
                                   name_for_errors, lines.of(node.offset_debug()), node.name()));
    }
    root = node;
  }
  check(static_cast<bool>(root), "a well-formed document has a root");
  return convert(root, lines, 1);
}

}  // namespace tvmq::driver
