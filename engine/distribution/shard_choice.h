// Which shards the rows that a condition accepts can be in, as far as that is known before the values of parameters
// are: a condition on the distribution column alone, evaluated when a task is to be made ("deferred pruning").
//
// Recognised: the column = a value, = ANY (array), AND and OR of these; values are whatever sees no row: constants,
// parameters, stable functions. Everything else leaves all shards. An over-estimate is always right, because every
// shard applies the whole condition again.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/distribution/table.h"
#include "engine/query/expression.h"

namespace polarsim::engine::distribution {

struct ShardChoice;
using ShardChoicePtr = std::shared_ptr<const ShardChoice>;
struct ShardChoice {
  // all: nothing is known. none: no row at all. one: the shard of the value; NULL is in none. any_of: those of an
  // array's elements.
  enum class Kind : std::uint8_t { all, none, one, any_of, conjunction, disjunction } kind = Kind::all;
  query::ExpressionPtr value;  // of one and any_of
  TypeId type = TypeId::none;  // of the value, or of an array's elements: one that hashes like the column
  std::vector<ShardChoicePtr> arguments;
};

// What expressions without rows depend on.
struct StatementValues {
  const CallContext& call;
  std::span<const Value> parameters = {};
  // Nothing will be executed: volatile functions are not called. What they would have given is NULL, and a row whose
  // key that is goes to the first shard.
  bool only_shown = false;
};

ShardChoicePtr all_shards();
ShardChoicePtr no_shards();
ShardChoicePtr shard_of_value(query::ExpressionPtr value, TypeId type);
// The one of a table without distribution column.
ShardChoicePtr only_shard();
// Simplified where one of them says enough.
ShardChoicePtr both_choices(const ShardChoicePtr& a, const ShardChoicePtr& b);
ShardChoicePtr either_choice(const ShardChoicePtr& a, const ShardChoicePtr& b);

// Whether it is never more than one shard, whatever the values are.
bool is_single(const ShardChoice& choice);
// Whether it is the same single shard, whatever the values are.
bool is_same_single(const ShardChoice& a, const ShardChoice& b);
// Whether the values of parameters, or of functions that are not immutable, matter.
bool depends_on_values(const ShardChoice& choice);

// Positions in table.shards, ascending.
std::vector<std::size_t> chosen_shards(const ShardChoice& choice, const TableDistribution& table,
                                       const StatementValues& values);
// The same for a choice that is_single(): no allocation where the value is a constant or a parameter.
std::optional<std::size_t> chosen_shard(const ShardChoice& choice, const TableDistribution& table,
                                        const StatementValues& values);

}  // namespace polarsim::engine::distribution
