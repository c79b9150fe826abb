// report.html: one self-contained page about one run, without scripts and without anything fetched from elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/exposure.h"
#include "reports/run_summary.h"

namespace polarsim::reports {

enum class OperationEnd : std::uint8_t { ok, fail, unknown };

// One operation of a client from its invocation to its completion. Times are virtual.
struct OperationSpan {
  std::int64_t index = 0;         // :index of the completion, or of the invocation if there is none
  std::int64_t invoke_index = 0;  // :index of the invocation
  std::int64_t process = 0;
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;  // of an operation without completion: the end of the run
  OperationEnd end = OperationEnd::unknown;
  std::string text;  // what it did, on one line
};

struct FaultSpan {
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;  // equal to start_ns for what strikes at one instant
  std::string text;         // "crash dn2 for 3 s"
};

struct RunReport {
  RunSummary summary;
  std::vector<OperationSpan> operations;  // in order of invocation
  std::vector<FaultSpan> faults;          // in order of start
  std::string replay_command;
  // By check of the summary, and by its anomalies: a drawing of each, as an element of SVG; empty, or missing: none.
  std::vector<std::vector<std::string>> pictures;
  std::optional<ExposureReport> exposure;  // if the nodes were watched
};

// At most this many operations are drawn one by one: those that the first anomaly names, then those around them. All of
// them count in the histogram above, and the page says how many were left out.
inline constexpr std::size_t operations_drawn = 1200;
inline constexpr std::size_t faults_drawn = 60;

std::string render_html(const RunReport& report);

// Text made safe within an element or a quoted attribute, of HTML and of XML.
std::string escaped(std::string_view text);

}  // namespace polarsim::reports
