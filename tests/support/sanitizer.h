// Whether the tests run under a sanitizer that has memory of its own: then neither what a process
// takes nor a limit of it says anything about the program.
#pragma once

namespace tvmq {

// gcc says so by macros, clang by a feature.
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitizer = true;
#else
inline constexpr bool kSanitizer = false;
#endif

}  // namespace tvmq
