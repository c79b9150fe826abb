// Reading files that a user names.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "scenarios/scenario.h"

namespace polarsim::scenarios {

// No scenario, schedule or run.json comes near this; what does was named by mistake.
inline constexpr std::uint64_t largest_input_bytes = 16 * 1024 * 1024;

// The whole file. Anything but a regular file is refused, since a device or a pipe may never end. The error is one
// line: "x.toml: cannot read: No such file or directory".
tl::expected<std::string, InputError> read_file(const std::string& path,
                                                std::uint64_t limit = std::numeric_limits<std::uint64_t>::max());

// The same part by part, for files that may be larger than the memory. "-" is the standard input, which may be a pipe.
class InputParts {
 public:
  static tl::expected<InputParts, InputError> open(const std::string& path);
  InputParts(InputParts&& other) noexcept;
  InputParts(const InputParts&) = delete;
  InputParts& operator=(const InputParts&) = delete;
  InputParts& operator=(InputParts&&) = delete;
  ~InputParts();

  // How many bytes were copied, 0 at the end and after an error.
  std::size_t read(char* into, std::size_t size);
  const std::optional<InputError>& error() const { return error_; }
  // 0 if it is not known.
  std::uint64_t size() const { return size_; }

 private:
  InputParts(std::string path, int file, std::uint64_t size) : path_(std::move(path)), file_(file), size_(size) {}

  std::string path_;
  int file_ = -1;
  std::uint64_t size_ = 0;
  std::optional<InputError> error_;
};

// Whether a file may be written at this path by giving another its name: a device, a pipe or a folder that is there
// already would be replaced, and whatever else uses it with it.
tl::expected<void, InputError> check_replaceable(const std::string& path);

}  // namespace polarsim::scenarios
