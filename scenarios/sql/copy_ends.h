// What COPY reads as STDIN and writes as STDOUT, in memory.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/node/copy_stream.h"

namespace polarsim::scenarios::sql {

// Without the ends of lines.
struct CopiedLines final : engine::CopySink {
  void write(std::string_view line) override { lines.emplace_back(line.substr(0, line.find_last_not_of('\n') + 1)); }
  std::vector<std::string> lines;
};

class CopiedBytes final : public engine::CopySource {
 public:
  explicit CopiedBytes(std::string bytes) : bytes_(std::move(bytes)) {}
  bool read(std::string& chunk) override {
    chunk = std::move(bytes_);
    bytes_.clear();
    return !chunk.empty();
  }

 private:
  std::string bytes_;
};

}  // namespace polarsim::scenarios::sql
