// Files of the node's disk as the other end of a COPY.
#pragma once

#include <string>

#include "engine/node/copy_stream.h"
#include "sim/host.h"

namespace polarsim::engine::executor {

// Both block and throw SqlError with PostgreSQL's codes and texts: 58P01 "could not open file \"x\" for reading: No
// such file or directory".
class CopyFileSource final : public CopySource {
 public:
  CopyFileSource(sim::Host& host, const std::string& path);
  bool read(std::string& chunk) override;

 private:
  sim::File file_;
  std::uint64_t offset_ = 0;
};

// Replaces what the file held; directories are made as the path needs them. It is not durable before something else
// makes it so, as in PostgreSQL.
class CopyFileSink final : public CopySink {
 public:
  // 42602 if the path is not absolute.
  CopyFileSink(sim::Host& host, const std::string& path);
  void write(std::string_view line) override;
  // Writes what has been kept back. To be called once, at the end.
  void finish();

 private:
  sim::File file_;
  std::uint64_t offset_ = 0;
  std::string pending_;
};

}  // namespace polarsim::engine::executor
