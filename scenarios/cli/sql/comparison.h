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
// The same, for a cluster: errors are compared by their SQLSTATE, as messages may tell of shards; and which row's value
// or constraint fails first, of several rows, is a matter of what shards they are in.
std::string difference_of_cluster(const sql::Answer& ours, const sql::Answer& theirs,
                                  const std::vector<std::size_t>& ordered_by);

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
