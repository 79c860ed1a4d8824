#include "report/html.h"

#include "base/file.h"
#include "report/report_page.h"

namespace tvmq::report {

std::string escape_for_script_element(std::string_view json) {
  constexpr std::string_view kLineSeparators =
      "\xE2\x80";  // U+2028 and U+2029 but for their last byte
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string_view rest = json.substr(i);
    if (rest.front() == '<') {
      out += "\\u003c";
    } else if (rest.front() == '>') {
      out += "\\u003e";
    } else if (rest.front() == '&') {
      out += "\\u0026";
    } else if (rest.starts_with(kLineSeparators) && rest.size() > 2 &&
               (rest[2] == '\xA8' || rest[2] == '\xA9')) {
      out += rest[2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += rest.front();
    }
  }
  return out;
}

std::string to_html(std::string_view report_json) {
  std::string page(page_before_data());
  page += escape_for_script_element(report_json);
  page += page_after_data();
  return page;
}

void write_html(const Report& report, const std::filesystem::path& path) {
  AtomicFile file(path);
  file.write(to_html(to_json(report)));
  file.commit();
}

}  // namespace tvmq::report
