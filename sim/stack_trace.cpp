#include "sim/stack_trace.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <unwind.h>

#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#ifdef POLARSIM_LIBBACKTRACE
#include <backtrace.h>
#endif

namespace polarsim::sim {

namespace {

struct Capture {
  StackFrames frames;
  std::size_t skipped;
  std::size_t most;
};

_Unwind_Reason_Code take_frame(_Unwind_Context* context, void* argument) {
  auto& capture = *static_cast<Capture*>(argument);
  if (capture.skipped > 0) {
    --capture.skipped;
    return _URC_NO_REASON;
  }
  // The address after a call may belong to the next line, or to the next function after a call that does not return.
  const auto address = static_cast<std::uintptr_t>(_Unwind_GetIP(context)) - 1;
  capture.frames.push_back(address);
  return capture.frames.size() < capture.most ? _URC_NO_REASON : _URC_END_OF_STACK;
}

std::string offset_text(std::uintptr_t address) {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(address), &info) == 0 || info.dli_fname == nullptr) {
    return fmt::format("{:#x}", address);
  }
  std::string_view file = info.dli_fname;
  file.remove_prefix(file.rfind('/') + 1);
  const auto base = reinterpret_cast<std::uintptr_t>(info.dli_fbase);  // tidy: allow address: shown to a person only
  return fmt::format("{}+{:#x}", file, address - base);
}

#ifdef POLARSIM_LIBBACKTRACE
std::string readable(const char* symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(symbol, nullptr, nullptr, &status), std::free);
  return status == 0 ? text.get() : symbol;
}

void ignore_error(void*, const char*, int) {}

struct Naming {
  std::vector<std::string>& lines;
  std::uintptr_t address;
  bool found;
};

int add_line(void* argument, std::uintptr_t, const char* file, int line, const char* function) {
  auto& naming = *static_cast<Naming*>(argument);
  if (function == nullptr) return 0;
  naming.found = true;
  naming.lines.push_back(file == nullptr ? readable(function)
                                         : fmt::format("{} at {}:{}", readable(function), file, line));
  return 0;
}

void add_symbol(void* argument, std::uintptr_t, const char* symbol, std::uintptr_t, std::uintptr_t) {
  auto& naming = *static_cast<Naming*>(argument);
  if (symbol == nullptr) return;
  naming.found = true;
  naming.lines.push_back(readable(symbol));
}
#endif

}  // namespace

StackFrames capture_stack(std::size_t skipped, std::size_t most) {
  Capture capture{{}, skipped + 1, most};
  capture.frames.reserve(most);
  _Unwind_Backtrace(take_frame, &capture);
  return std::move(capture.frames);
}

std::vector<std::string> name_frames(const StackFrames& frames) {
  std::vector<std::string> lines;
#ifdef POLARSIM_LIBBACKTRACE
  // It keeps what it reads for as long as the process lives; there is nothing to release.
  static backtrace_state* const state = backtrace_create_state(nullptr, 0, ignore_error, nullptr);
  for (const std::uintptr_t address : frames) {
    Naming naming{lines, address, false};
    backtrace_pcinfo(state, address, add_line, ignore_error, &naming);
    if (!naming.found) backtrace_syminfo(state, address, add_symbol, ignore_error, &naming);
    if (!naming.found) lines.push_back(offset_text(address));
  }
#else
  for (const std::uintptr_t address : frames) lines.push_back(offset_text(address));
#endif
  return lines;
}

}  // namespace polarsim::sim
