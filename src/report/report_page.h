#pragma once

#include <string_view>

namespace tvmq::report {

// The page that web/build.mjs makes, before and after the place of the report's JSON.
std::string_view page_before_data();
std::string_view page_after_data();

}  // namespace tvmq::report
