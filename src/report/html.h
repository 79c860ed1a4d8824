#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "report/report.h"

namespace tvmq::report {

/// `<Name>.report.html`: one file with everything in it, which opens in a browser without a
/// network.
///
/// `report_json` is a whole report as written to `<Name>.report.json` (docs/report.md). It is
/// carried along as data and drawn by the script that comes with the page (web/); nothing in it,
/// whatever layers are called, can become markup or run as a script. The same report gives the same
/// bytes.
std::string to_html(std::string_view report_json);

/// Writes to_html() of `report`; the file appears whole or not at all. Throws InputError if it
/// cannot.
void write_html(const Report& report, const std::filesystem::path& path);

/// `json` with the characters that HTML gives a meaning to (`<`, `>`, `&`) and the two line ends
/// that only JSON allows (U+2028, U+2029) as `\uXXXX`. They occur only inside strings, where this
/// is the same text; so the result is the same JSON value, and cannot end the element that it is
/// put into.
std::string escape_for_script_element(std::string_view json);

}  // namespace tvmq::report
