// Whether AddressSanitizer watches this build. Private to sim.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define POLARSIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POLARSIM_ASAN 1
#endif
#endif

#ifdef POLARSIM_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
