// COPY FROM into a distributed table: rows that this coordinator has read go to their shards.
//
// Rows are kept as the bytes of a COPY for each shard, binary where all columns have such a form that means the same
// everywhere, else text. When there are enough of them, every shard gets its own by one COPY ... FROM STDIN, shards of
// one node in sequence, nodes in parallel; a reference table's copies all get the same. All of it is part of the
// session's distributed transaction, for which nodes must be in a block. Constraints and generated columns are the
// shards' to look after.
//
// Errors: 22004 "the partition column of table s.t cannot be NULL". What a node has against a row (classes 22 and 23)
// becomes XX000 without a context, as in the closest relative: the row's line is not known any more.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cluster/distributed_execution.h"
#include "engine/copy/rows.h"
#include "engine/executor/copy.h"
#include "engine/query/relation.h"

namespace polarsim::engine::cluster {

class DistributedCopy final : public executor::CopyDestination {
 public:
  DistributedCopy(const ExecutionPlace& place, std::shared_ptr<const Metadata> metadata, query::RelationPtr relation,
                  distribution::TableDistributionPtr distribution);

  void add(executor::RowView row) override;
  void hand_on() override;
  void finish() override { send(); }

 private:
  struct CopiedColumn {
    std::size_t column;
    TypeId type;
  };
  std::size_t shard_of(executor::RowView row) const;
  void append(std::string& bytes, executor::RowView row);
  std::string statement(const distribution::Shard& shard) const;
  void send();
  void send_copies(bool first);

  const std::shared_ptr<const Metadata> metadata_;  // before what refers to it
  const ExecutionPlace place_;
  const query::RelationPtr relation_;
  const distribution::TableDistributionPtr distribution_;
  std::vector<CopiedColumn> columns_;
  bool binary_ = true;
  std::unique_ptr<copy::RowWriter> writer_;
  std::string field_;
  std::vector<std::string> rows_;  // by the shard's position; empty, or with a header and without a trailer
  std::size_t bytes_ = 0;          // of all
};

}  // namespace polarsim::engine::cluster
