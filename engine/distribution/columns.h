// Columns of the queries that one statement consists of, and which of them are equal (a small part of PostgreSQL's
// equivclass.c).
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <vector>

#include "engine/query/query.h"

namespace polarsim::engine::distribution {

// `level` numbers the queries of the statement as they were met.
struct ColumnId {
  // Not a column: the shard where a lateral subquery's rows are.
  static constexpr int place = 1 << 20;
  int level = 0;
  int entry = 0;
  int column = 0;
  friend auto operator<=>(const ColumnId&, const ColumnId&) = default;
};

// Pairs of columns that are equal (and not NULL) in all rows of what they were collected for.
class Equalities {
 public:
  void add(ColumnId a, ColumnId b) {
    partners_[a].push_back(b);
    partners_[b].push_back(a);
  }
  void add(const Equalities& other) {
    for (const auto& [column, partners] : other.partners_) {
      std::vector<ColumnId>& own = partners_[column];
      own.insert(own.end(), partners.begin(), partners.end());
    }
  }
  // The columns that are equal to it, itself the first.
  std::vector<ColumnId> closure(ColumnId column) const;
  bool same(ColumnId a, ColumnId b) const;

 private:
  std::map<ColumnId, std::vector<ColumnId>> partners_;
};

// A query under inspection, inside the one around it.
struct Level {
  const query::Query* query = nullptr;
  const Level* outer = nullptr;
  int number = 0;
  const Level* around(int levels) const {
    const Level* level = this;
    for (; levels > 0 && level != nullptr; --levels) level = level->outer;
    return level;
  }
};

// The column that the expression, which stands `levels` queries inside the level, is nothing but: conversions that keep
// the representation do not matter, and columns of joins are those of what is joined. A merged column of a FULL JOIN is
// one of the join's own.
std::optional<ColumnId> column_of(const query::ExpressionPtr& expression, const Level& level, int levels = 0);

// The expression without conversions that keep the representation, and with it what is equal.
const query::ExpressionPtr& without_relabel(const query::ExpressionPtr& expression);

// The type that an operator's operand has: what the operator takes, or for operators of any arrays that of the operand.
TypeId operand_type(const query::OperatorCall& call, std::size_t side);
// Whether it is an `=` that calls two values equal only if their hashes are.
bool is_hashed_equality(const query::OperatorCall& call);

// The arguments of an AND, those of ANDs inside it, or the condition itself.
void add_conjuncts(const query::ExpressionPtr& condition, std::vector<query::ExpressionPtr>& conjuncts);

}  // namespace polarsim::engine::distribution
