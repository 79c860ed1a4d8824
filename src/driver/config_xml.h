// XML text as a tree of elements: the only place that knows the XML parser.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tvmq::driver {

struct XmlElement {
  std::string name;
  std::string text;  ///< of the element itself, without surrounding blanks
  int line = 0;      ///< of its opening tag, from 1
  bool has_attributes = false;
  std::vector<XmlElement> children;
};

/// Levels of elements that are kept; deeper ones are dropped (the configuration has four).
inline constexpr int kXmlLevels = 5;

/// The root element. Comments, processing instructions and document types are dropped, entities of
/// a document type are not expanded. InputError with the line: not well-formed, not one root,
/// UTF-16.
XmlElement parse_xml(std::string_view xml, std::string_view name_for_errors);

}  // namespace tvmq::driver
