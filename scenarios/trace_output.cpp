#include "scenarios/trace_output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace polarsim::scenarios {

TraceOutput::TraceOutput(const std::string& path)
    : path_(path), temporary_(path + ".tmp"), file_(temporary_, std::ios::binary | std::ios::trunc), writer_(file_) {}

TraceOutput::~TraceOutput() { ::unlink(temporary_.c_str()); }

tl::expected<void, InputError> TraceOutput::ready() const {
  if (const auto replaceable = check_replaceable(path_); !replaceable) return replaceable;
  if (file_) return {};
  return tl::unexpected(InputError{fmt::format("{}: cannot write: {}", path_, std::strerror(errno))});
}

tl::expected<void, InputError> TraceOutput::keep() {
  bool written = writer_.finish();
  file_.close();
  written = written && !file_.fail();
  if (written && std::rename(temporary_.c_str(), path_.c_str()) == 0) return {};
  return tl::unexpected(InputError{fmt::format("{}: cannot write the trace: {}", path_, std::strerror(errno))});
}

}  // namespace polarsim::scenarios
