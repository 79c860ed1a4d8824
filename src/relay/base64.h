// base64 with the alphabet A-Z a-z 0-9 + /, padded with '=', without line breaks: how TVM puts
// binary data into JSON.
#pragma once

#include <string>
#include <string_view>

namespace tvmq::relay {

/// Decodes all of `text` into `bytes` (resized to fit; its memory is reused). False, with `bytes`
/// in no particular state, if `text` is not base64: a length that is not a multiple of 4, a foreign
/// character, or '=' anywhere but at the end.
[[nodiscard]] bool decode_base64(std::string_view text, std::string& bytes);

/// Appends the text of `bytes` to `text`. Pieces may be encoded one after the other if all but the
/// last have a length that is a multiple of 3.
void encode_base64(std::string_view bytes, std::string& text);

}  // namespace tvmq::relay
