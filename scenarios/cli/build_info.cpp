#include "scenarios/cli/build_info.h"

#include <fmt/format.h>

namespace polarsim::scenarios::cli {

reports::BuildInfo build_info() {
  reports::BuildInfo info;
  info.version = POLARSIM_VERSION;
#if defined(__clang__)
  info.compiler = fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  info.compiler = fmt::format("gcc {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
  info.build_type = POLARSIM_BUILD_TYPE;
  return info;
}

std::string version_text() {
  const reports::BuildInfo info = build_info();
  return fmt::format("polarsim {} ({}, {})", info.version, info.compiler, info.build_type);
}

std::string source_folder() { return POLARSIM_SOURCE_DIR; }

}  // namespace polarsim::scenarios::cli
