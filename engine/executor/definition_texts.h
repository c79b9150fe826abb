// Definitions as SQL for people: pg_get_viewdef(), pg_get_expr(), pg_get_indexdef(), pg_get_constraintdef()
// (PostgreSQL's src/backend/utils/adt/ruleutils.c).
//
// The catalog keeps expressions and views as texts that mean the same for everybody; here they are analysed again and
// written as this session sees them: names without a schema where its search path finds them, names in place of the
// numbers of relations, and without superfluous brackets if that is wanted (`pretty`). Functions block and throw
// SqlError. Of a view, the relations that it uses are locked as if it was read.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/node/database.h"
#include "engine/types/function.h"

namespace polarsim::engine::executor {

// What PostgreSQL calls the column of an index that is this expression: "lower" of lower(name), else "expr".
std::string expression_column_name(Database& database, const std::string& expression);

// The numbers of the columns that an expression over the table names, in order of appearance, each once.
std::vector<int> expression_columns(Database& database, const CallContext& call, const std::string& expression,
                                    const catalog::Definition& table);

// An expression that the catalog keeps of a table, after the table or its columns have got other names.
std::string renamed_expression(Database& database, const CallContext& call, const std::string& expression,
                               const catalog::Definition& before, const catalog::Definition& after);

class DefinitionTexts {
 public:
  // All must outlive it. `search_path`: schemas that exist.
  DefinitionTexts(Database& database, txn::Transaction& transaction, const CallContext& call,
                  std::span<const std::string> search_path)
      : database_(database), transaction_(transaction), call_(call), search_path_(search_path) {}

  // What the view selects, with a semicolon at the end.
  std::string view(const catalog::Relation& view, bool pretty) const;
  // An expression that the catalog keeps, over the columns of a table; of none (a default) if `table` is null.
  std::string expression(const std::string& text, const catalog::Definition* table, bool pretty) const;
  // "CREATE INDEX ...". The table is named without its schema only if pretty.
  std::string index(const catalog::Definition& index, const catalog::Definition& table, bool pretty) const;
  // One key of an index, from 1; an empty text if there is none of the number.
  std::string index_key(const catalog::Definition& index, const catalog::Definition& table, int number,
                        bool pretty) const;
  // The constraint of that number, "CHECK (...)", "PRIMARY KEY (...)", "FOREIGN KEY ..."; empty if there is none.
  std::string constraint(catalog::RelationId id, bool pretty) const;

  // The relation's name, with its schema unless the search path finds it.
  std::string name_of(const catalog::Definition& relation) const;

 private:
  std::string relation_name(catalog::RelationId id) const;
  // A copy whose expressions are written anew.
  catalog::Definition rewritten(const catalog::Definition& index, const catalog::Definition& table, bool pretty) const;

  Database& database_;
  txn::Transaction& transaction_;
  const CallContext& call_;
  std::span<const std::string> search_path_;
};

}  // namespace polarsim::engine::executor
