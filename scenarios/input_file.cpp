#include "scenarios/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace polarsim::scenarios {

namespace {

InputError cannot_read(const std::string& path, int error) {
  return InputError{fmt::format("{}: cannot read: {}", path, std::strerror(error))};
}

InputError too_large(const std::string& path, std::uint64_t limit) {
  return InputError{fmt::format("{}: cannot read: larger than {} bytes", path, limit)};
}

tl::expected<std::string, InputError> read_open_file(int file, const std::string& path, std::uint64_t limit) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return tl::unexpected(cannot_read(path, errno));
  if (!S_ISREG(status.st_mode)) return tl::unexpected(InputError{path + ": cannot read: not a regular file"});
  if (static_cast<std::uint64_t>(status.st_size) > limit) return tl::unexpected(too_large(path, limit));
  std::string text;
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    const ssize_t count = ::read(file, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(cannot_read(path, errno));
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    // Files of /proc say that they are empty, and a file may grow while it is read.
    if (text.size() > limit) return tl::unexpected(too_large(path, limit));
  }
}

}  // namespace

tl::expected<std::string, InputError> read_file(const std::string& path, std::uint64_t limit) {
  // Without O_NONBLOCK opening a pipe would wait for somebody to write into it.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return tl::unexpected(cannot_read(path, errno));
  auto text = read_open_file(file, path, limit);
  ::close(file);
  return text;
}

tl::expected<InputParts, InputError> InputParts::open(const std::string& path) {
  const bool standard_input = path == "-";
  const int file = standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return tl::unexpected(cannot_read(path, errno));
  InputParts parts(standard_input ? "standard input" : path, file, 0);
  struct stat status {};
  if (::fstat(file, &status) != 0) return tl::unexpected(cannot_read(parts.path_, errno));
  if (S_ISREG(status.st_mode)) {
    parts.size_ = static_cast<std::uint64_t>(status.st_size);
  } else if (!standard_input) {
    return tl::unexpected(InputError{path + ": cannot read: not a regular file"});
  }
  return parts;
}

InputParts::InputParts(InputParts&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      size_(other.size_),
      error_(std::move(other.error_)) {}

InputParts::~InputParts() {
  if (file_ > STDIN_FILENO) ::close(file_);
}

std::size_t InputParts::read(char* into, std::size_t size) {
  while (!error_) {
    const ssize_t count = ::read(file_, into, size);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) error_ = cannot_read(path_, errno);
  }
  return 0;
}

tl::expected<void, InputError> check_replaceable(const std::string& path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status)) return {};
  return tl::unexpected(InputError{path + ": cannot write: not a regular file"});
}

}  // namespace polarsim::scenarios
