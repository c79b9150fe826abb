// For tests that go through thousands of cases: whether a sanitizer makes each of them some twenty times slower. They
// then look at a part that is spread evenly over the whole; the whole is looked at by the other builds.
#pragma once

namespace polarsim::engine::testing {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool under_sanitizer = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool under_sanitizer = true;
#else
inline constexpr bool under_sanitizer = false;
#endif
#else
inline constexpr bool under_sanitizer = false;
#endif

}  // namespace polarsim::engine::testing
