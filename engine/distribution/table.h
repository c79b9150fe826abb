// Where the rows of a table are: what the distributed planner knows of tables and nodes.
//
// Source: the relative's metadata (docs/architecture.md): a hash-distributed table has shards that share out the range
// of signed 32-bit hashes; a reference table has one shard with a copy on every node, coordinators included; a
// single-shard table lies wholly on one data node. Tables of one colocation group have the same number of shards, the
// same type of distribution column, and their shards of one position lie on the same nodes.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/query/relation.h"

namespace polarsim::engine::distribution {

enum class Method : char { hash = 'h', reference = 'r', single_shard = 's' };

struct Shard {
  std::int64_t id = 0;
  // Hashes, both included; the whole range for a table with one shard.
  std::int32_t low = std::numeric_limits<std::int32_t>::min();
  std::int32_t high = std::numeric_limits<std::int32_t>::max();
  std::vector<int> groups;  // the nodes with a placement, the one to be read first in front
};

struct TableDistribution {
  Method method = Method::hash;
  int column = 0;  // the distribution column, from 1; 0 where there is none
  Type type;       // of the distribution column
  int colocation_id = 0;
  std::vector<Shard> shards;  // in order of their hashes

  bool is_reference() const { return method == Method::reference; }
};
using TableDistributionPtr = std::shared_ptr<const TableDistribution>;

// The cluster's metadata, for one statement.
class DistributionSource {
 public:
  // Null: an ordinary table (or view of the system) of this node alone.
  virtual TableDistributionPtr find(const query::Relation& relation) = 0;
  // The node that plans.
  virtual int own_group() const = 0;
  // Every node that can run tasks, this one included, in order.
  virtual std::vector<int> groups() const = 0;

 protected:
  ~DistributionSource() = default;
};

// "t_102008": also what indexes and constraints of a shard's table are called, after the table's.
std::string shard_name(const std::string& name, std::int64_t shard_id);

// PostgreSQL's hash of a value, not NULL, by its type's default hash operator class. 0A000 for types that cannot be
// hashed here; see can_hash().
std::int32_t hash_of(const Value& value, TypeId type);
bool can_hash(TypeId type);
// Whether values of these types that `=` calls equal have the same hash.
bool hashes_alike(TypeId a, TypeId b);

// The position of the shard that holds a hash; none if there is no such shard.
std::optional<std::size_t> shard_position(const TableDistribution& table, std::int32_t hash);
// Of a value of the distribution column. Tables with one shard have position 0 for everything.
std::optional<std::size_t> shard_position(const TableDistribution& table, const Value& value);

}  // namespace polarsim::engine::distribution
