#include "report/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace tvmq::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct EscapeCase {
  std::string_view name, json, expected;
};
void PrintTo(const EscapeCase& each, std::ostream* out) { *out << each.name; }

class Escape : public ::testing::TestWithParam<EscapeCase> {};

TEST_P(Escape, KeepsTheValueAndLosesTheMarkup) {
  EXPECT_EQ(escape_for_script_element(GetParam().json), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    All, Escape,
    ::testing::Values(
        EscapeCase{"Nothing", "", ""},
        EscapeCase{"Plain", R"({"name":"conv2d \" \\ \n","n":[1,-2.5e-7,null]})",
                   R"({"name":"conv2d \" \\ \n","n":[1,-2.5e-7,null]})"},
        EscapeCase{"EndOfElement", R"(["</script><script>alert(1)</script>"])",
                   R"(["\u003c/script\u003e\u003cscript\u003ealert(1)\u003c/script\u003e"])"},
        EscapeCase{"Comment", R"(["<!-- <script> -->"])",
                   R"(["\u003c!-- \u003cscript\u003e --\u003e"])"},
        EscapeCase{"Entity", R"(["&lt;&amp;"])", R"(["\u0026lt;\u0026amp;"])"},
        EscapeCase{"LineSeparators", "[\"a\xE2\x80\xA8z\xE2\x80\xA9\"]", R"(["a\u2028z\u2029"])"},
        EscapeCase{"OtherThreeByteCharacter", "[\"\xE2\x80\xA6\"]", "[\"\xE2\x80\xA6\"]"},
        EscapeCase{"CutInTheMiddle", "\xE2\x80", "\xE2\x80"},
        EscapeCase{"OtherCharacters", "[\"\xD1\x81\xD0\xBB\xD0\xBE\xD0\xB9 \xF0\x9F\x98\x80\"]",
                   "[\"\xD1\x81\xD0\xBB\xD0\xBE\xD0\xB9 \xF0\x9F\x98\x80\"]"}),
    [](const auto& test) { return std::string(test.param.name); });

// How often `part` occurs in `text`.
int count(std::string_view text, std::string_view part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(ToHtml, IsOnePageAroundTheReport) {
  const std::string page = to_html(R"({"format":"tvm-quantization report"})");
  EXPECT_TRUE(page.starts_with("<!doctype html>"));
  EXPECT_TRUE(page.ends_with("</html>\n"));
  EXPECT_THAT(page, HasSubstr(R"(id="report-data">{"format":"tvm-quantization report"}</script>)"));
  EXPECT_THAT(page, Not(HasSubstr("{{")));  // a place of the template that was not filled
}

TEST(ToHtml, LoadsNothing) {
  const std::string page = to_html("{}");
  EXPECT_THAT(page, HasSubstr("default-src 'none'; script-src 'sha256-"));
  EXPECT_THAT(page, Not(HasSubstr(" src=\"")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
}

TEST(ToHtml, NamesCannotLeaveTheirElement) {
  const std::string page = to_html(R"({"name":"</script><img src=x onerror=alert(1)><!--"})");
  EXPECT_EQ(count(page, "</script>"), count(to_html("{}"), "</script>"));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
}

TEST(ToHtml, SameReportSameBytes) { EXPECT_EQ(to_html("{\"a\":1}"), to_html("{\"a\":1}")); }

}  // namespace
}  // namespace tvmq::report
