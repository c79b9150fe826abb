// Two answers to one statement, compared; and what is known to differ.
#pragma once

#include <string>
#include <vector>

#include "scenarios/sql/connection.h"

namespace polarsim::scenarios::cli::test {

// What differs, for people; empty if nothing does. Rows are compared as multisets, and by the values of `ordered_by`
// (columns, from 0) in their order.
std::string difference_between(const sql::Answer& ours, const sql::Answer& theirs,
                               const std::vector<std::size_t>& ordered_by);
// The same, for a cluster: errors are compared by their SQLSTATE, as messages may tell of shards. Of several rows each
// may fail in its own way, and which is met first is a matter of what shards they are in: errors that are of a row
// (classes 22, 23 and 54, units that a type does not have, and a row that is changed twice) count as equal then, see
// is_of_several_rows().
std::string difference_of_cluster(const std::string& statement, const sql::Answer& ours, const sql::Answer& theirs,
                                  const std::vector<std::size_t>& ordered_by);
// Whether the statement meets more than one row: it reads something, or has several rows of VALUES.
bool is_of_several_rows(const std::string& statement);

// known_differences.tsv: a part of the statement (- for any), a part of our answer and one of theirs, as
// sql::to_string() shows them (- for any), and the reason, separated by tabs. A line that allows everything is refused.
class KnownDifferences {
 public:
  explicit KnownDifferences(const std::string& path);
  // The reason, or null.
  const std::string* find(const std::string& statement, const sql::Answer& ours, const sql::Answer& theirs) const;

 private:
  struct Line {
    std::string statement;
    std::string ours;
    std::string theirs;
    std::string reason;
  };
  std::vector<Line> lines_;
};

}  // namespace polarsim::scenarios::cli::test
