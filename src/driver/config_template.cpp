#include "driver/config_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "driver/config.h"

namespace tvmq::driver {
namespace {

constexpr std::size_t kLineWidth = 100;

/// Text between tags or in a comment: markup and the "--" that comments must not hold.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char symbol : text) {
    if (symbol == '`') continue;  // the reference is Markdown
    if (symbol == '&') {
      result += "&amp;";
    } else if (symbol == '<') {
      result += "&lt;";
    } else {
      if (symbol == '-' && !result.empty() && result.back() == '-') result += ' ';
      result += symbol;
    }
  }
  return result;
}

/// A comment, wrapped at blanks.
void append_comment(std::string& out, std::string_view indent, std::string_view text) {
  std::string line = fmt::format("{}<!--", indent);
  const std::string safe = escaped(text);
  for (std::size_t begin = 0; begin < safe.size();) {
    const std::size_t end = std::min(safe.find(' ', begin), safe.size());
    const std::string_view word = std::string_view(safe).substr(begin, end - begin);
    if (line.size() + 1 + word.size() > kLineWidth - 4) {
      out += line + "\n";
      line = fmt::format("{}    ", indent);
    }
    line += fmt::format(" {}", word);
    begin = end + 1;
  }
  out += line + " -->\n";
}

std::string note(const ConfigKey& key) {
  const std::string_view meaning = key.meaning;
  const bool sentence = meaning.ends_with('.');
  return fmt::format("{}{} {}: {}.{}", meaning, sentence ? "" : ".",
                     key.required ? "Required" : "Values", key.values,
                     key.required           ? ""
                     : key.fallback.empty() ? " Empty: not given."
                                            : fmt::format(" Default: {}.", key.fallback));
}

}  // namespace

std::string config_template() {
  std::string out = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";
  append_comment(out, "",
                 "Every key of this version. What is left empty or left out has its default; fill "
                 "in what is required, and Dataset/Path. Relative paths of models and images start "
                 "at the working directory or at the folder of this file. A file may hold several "
                 "Config elements.");
  out += "<QuantizationConfigs>\n  <Config>\n";
  std::string_view group;
  for (const ConfigKey& key : config_reference()) {
    if (key.group != group) {
      if (!group.empty()) out += fmt::format("    </{}>\n", group);
      group = key.group;
      out += fmt::format("\n    <{}>\n", group);
    }
    append_comment(out, "      ", note(key));
    out += fmt::format("      <{0}>{1}</{0}>\n", key.key, escaped(key.fallback));
  }
  if (!group.empty()) out += fmt::format("    </{}>\n", group);
  out += "  </Config>\n</QuantizationConfigs>\n";
  return out;
}

}  // namespace tvmq::driver
