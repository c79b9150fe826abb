// The statements that a foreign key is enforced by, as plans that are made at their first use (PostgreSQL's
// src/backend/utils/adt/ri_triggers.c, which writes them as SQL).
#pragma once

#include <array>
#include <span>
#include <vector>

#include "engine/catalog/definition.h"
#include "engine/plan/plan.h"

namespace polarsim::engine::executor {

class ForeignKeyStatements {
 public:
  // Parameters are the values of the referenced columns; of `cascade` the old ones, then the new ones; of
  // `find_referenced` the values of the referencing columns.
  enum class Kind : std::uint8_t {
    find_referenced,   // SELECT 1 FROM referenced x WHERE key = $1 FOR KEY SHARE OF x
    find_referencing,  // SELECT 1 FROM referencing x WHERE $1 = column FOR KEY SHARE OF x
    remove,            // DELETE FROM referencing x WHERE $1 = column
    cascade,           // UPDATE referencing x SET column = $2 WHERE $1 = column
    set_null,          // UPDATE referencing x SET column = NULL WHERE $1 = column
    set_default,
    set_null_some,  // the same of the columns that ON DELETE SET names
    set_default_some,
  };

  // All must outlive it.
  ForeignKeyStatements(const catalog::ForeignKey& key, query::RelationPtr referencing, query::RelationPtr referenced)
      : key_(key), referencing_(std::move(referencing)), referenced_(std::move(referenced)) {}

  const plan::PlannedStatementPtr& get(Kind kind, const CallContext& call);

 private:
  query::QueryPtr analyse(Kind kind, const CallContext& call) const;
  syntax::ExpressionPtr condition(bool of_referenced) const;
  std::vector<syntax::Assignment> assignments(Kind kind) const;

  const catalog::ForeignKey& key_;
  query::RelationPtr referencing_;
  query::RelationPtr referenced_;
  std::array<plan::PlannedStatementPtr, static_cast<std::size_t>(Kind::set_default_some) + 1> plans_;
};

}  // namespace polarsim::engine::executor
