// When each transaction was prepared, committed or rolled back on each node, as far as the log of the cluster tells.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checkers/cluster_log.h"
#include "checkers/operations.h"

namespace polarsim::checkers {

struct Branch {
  std::uint32_t operation = no_vertex;
  std::uint32_t node = 0;
  // The first of each kind.
  Moment prepare, commit, abort;
  // Whether it was durably prepared, and neither committed nor rolled back, at this place of its node.
  bool pending_at(std::uint64_t position) const {
    return prepare && prepare.position < position && (!commit || position < commit.position) &&
           (!abort || position < abort.position);
  }
  bool still_prepared() const { return prepare && !commit && !abort; }
};

class Branches {
 public:
  Branches(const ClusterLog& log, const History& history, const Operations& operations);

  // Null if the log has nothing of that operation on that node.
  const Branch* find(std::uint32_t operation, std::uint32_t node) const;
  // Those of one operation, by place in all(); `no_vertex` ends them.
  std::uint32_t first_of(std::uint32_t operation) const { return first_[operation]; }
  std::uint32_t next_of(std::uint32_t branch) const { return next_[branch]; }
  const std::vector<Branch>& all() const { return branches_; }
  // The operation whose branch was prepared under that name; `no_vertex` if the log does not tell.
  std::uint32_t prepared_as(std::string_view gid) const;

 private:
  std::vector<Branch> branches_;
  std::vector<std::uint32_t> first_;                                  // by operation
  std::vector<std::uint32_t> next_;                                   // by branch
  std::vector<std::pair<std::string_view, std::uint32_t>> prepared_;  // names and operations
};

// "12.345678 s"
std::string time_text(std::int64_t time_ns);

}  // namespace polarsim::checkers
