// Sequences of the primary coordinator that columns of distributed tables count by without owning them. Other
// coordinators have copies of them, each with a range of its own (shard_definition.h), which is what tells a copy from
// a sequence of that name that a coordinator has made for itself.
//
// A copy stays as long as the sequence that it is of, under the same name, whether anything counts by it or not: who
// counts by it again goes on where it was.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/cluster/cluster_work.h"

namespace polarsim::engine::cluster {

class SequenceCopies {
 public:
  explicit SequenceCopies(const ClusterWork& work) : work_(work) {}

  // On the coordinators that have none yet. What else has the name there is in the way: 42P07.
  void make(const catalog::Definition& sequence) const;
  // Those that `parts` counts by and does not own.
  void make_for(const TableParts& parts) const;
  // A statement for each copy of the sequence of that name, or of all in the schema.
  using Statement = std::function<std::string(const std::string& copy)>;  // a qualified name
  std::vector<NodeCommand> commands(const std::string& schema, const std::optional<std::string>& name,
                                    const Statement& statement) const;

 private:
  const ClusterWork& work_;
};

}  // namespace polarsim::engine::cluster
