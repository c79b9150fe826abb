#include "engine/executor/copy_file.h"

#include <fmt/format.h>

#include "engine/types/error.h"

namespace polarsim::engine::executor {

namespace {

constexpr std::size_t chunk_bytes = 64 * 1024;

// What errno says, and the code that PostgreSQL's errcode_for_file_access() makes of it.
struct Reason {
  const char* sqlstate;
  const char* text;
};
Reason reason_of(sim::DiskError error) {
  using sim::DiskError;
  switch (error) {
    case DiskError::not_found:
      return {sqlstate::undefined_file, "No such file or directory"};
    case DiskError::exists:
      return {"58P02", "File exists"};
    case DiskError::no_space:
      return {"53100", "No space left on device"};
    case DiskError::not_a_directory:
      return {sqlstate::wrong_object_type, "Not a directory"};
    case DiskError::is_a_directory:
      return {sqlstate::wrong_object_type, "Is a directory"};
    case DiskError::not_empty:
      return {sqlstate::wrong_object_type, "Directory not empty"};
    case DiskError::invalid:
      return {sqlstate::internal_error, "Invalid argument"};
    case DiskError::busy:
      return {sqlstate::internal_error, "Device or resource busy"};
    case DiskError::name_too_long:
      return {sqlstate::internal_error, "File name too long"};
    case DiskError::io_error:
    case DiskError::offline:
      break;
  }
  return {sqlstate::io_error, "Input/output error"};
}

[[noreturn]] void throw_cannot_open(const std::string& path, sim::DiskError error, bool reading) {
  const Reason reason = reason_of(error);
  std::string hint;
  if (error == sim::DiskError::not_found) {
    hint = fmt::format(
        "COPY {} instructs the PostgreSQL server process to {} a file. You may want a client-side facility such as "
        "psql's \\copy.",
        reading ? "FROM" : "TO", reading ? "read" : "write");
  }
  throw SqlError(
      reason.sqlstate,
      fmt::format("could not open file \"{}\" for {}: {}", path, reading ? "reading" : "writing", reason.text), "",
      std::move(hint));
}

// Those above the file that are not there yet: nobody else can make them on a simulated node.
tl::expected<void, sim::DiskError> make_directories_above(sim::Disk& disk, const std::string& path) {
  for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string directory = path.substr(0, end);
    if (disk.exists(directory)) continue;
    if (const auto made = disk.make_directory(directory); !made) return made;
  }
  return {};
}

[[noreturn]] void throw_failed(const char* what, sim::DiskError error) {
  const Reason reason = reason_of(error);
  throw SqlError(reason.sqlstate, fmt::format("could not {} COPY file: {}", what, reason.text));
}

}  // namespace

CopyFileSource::CopyFileSource(sim::Host& host, const std::string& path) {
  auto opened = host.disk().open(path, sim::OpenMode::existing);
  if (!opened) {
    // A directory can be opened, and then turns out to be none to read from.
    if (opened.error() == sim::DiskError::is_a_directory)
      throw SqlError(sqlstate::wrong_object_type, fmt::format("\"{}\" is a directory", path));
    throw_cannot_open(path, opened.error(), true);
  }
  file_ = std::move(*opened);
}

bool CopyFileSource::read(std::string& chunk) {
  chunk.clear();
  const auto count = file_.read(offset_, chunk_bytes, chunk);
  if (!count) throw_failed("read from", count.error());
  offset_ += *count;
  return *count > 0;
}

CopyFileSink::CopyFileSink(sim::Host& host, const std::string& path) {
  if (!path.starts_with('/')) throw SqlError(sqlstate::invalid_name, "relative path not allowed for COPY to file");
  sim::OpenFlags flags;
  flags.truncate = true;
  auto opened = host.disk().open(path, sim::OpenMode::create, flags);
  if (!opened && opened.error() == sim::DiskError::not_found) {
    if (const auto made = make_directories_above(host.disk(), path); !made)
      throw_cannot_open(path, made.error(), false);
    opened = host.disk().open(path, sim::OpenMode::create, flags);
  }
  if (!opened) throw_cannot_open(path, opened.error(), false);
  file_ = std::move(*opened);
}

void CopyFileSink::write(std::string_view line) {
  pending_ += line;
  if (pending_.size() >= chunk_bytes) finish();
}

void CopyFileSink::finish() {
  if (pending_.empty()) return;
  if (const auto written = file_.write_all(offset_, pending_); !written) throw_failed("write to", written.error());
  offset_ += pending_.size();
  pending_.clear();
}

}  // namespace polarsim::engine::executor
