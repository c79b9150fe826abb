// The trace of a run on its way to a file, written while the run goes on.
#pragma once

#include <fstream>
#include <string>
#include <tl/expected.hpp>

#include "scenarios/input_file.h"
#include "sim/trace_file.h"

namespace polarsim::scenarios {

// Writes to "<path>.tmp" until it is kept; what is not kept is removed.
class TraceOutput {
 public:
  // Throws nothing: whether the file can be written is known at once by ready(), and finally by keep().
  explicit TraceOutput(const std::string& path);
  ~TraceOutput();
  TraceOutput(const TraceOutput&) = delete;
  TraceOutput& operator=(const TraceOutput&) = delete;

  // The error is one line that names the file.
  tl::expected<void, InputError> ready() const;
  sim::TraceSink& sink() { return writer_; }
  // Writes the end of the trace and gives the file its name, whole or not at all.
  tl::expected<void, InputError> keep();

 private:
  std::string path_;
  std::string temporary_;
  std::ofstream file_;
  sim::TraceFileWriter writer_;
};

}  // namespace polarsim::scenarios
