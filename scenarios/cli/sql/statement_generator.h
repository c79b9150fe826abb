// Random SQL statements, well-typed mostly, drawn from choices.h: shorter choices make simpler statements.
//
// What a statement answers is determined: rows come in an order that does not matter or is told by ORDER BY, floats are
// added up only where no rounding occurs, LIMIT and window functions see a total order, and what is equal but not the
// same (1.0 and 1.00) is never chosen among. Expressions over several rows are mostly such that cannot fail, because
// which of several failures is met first is nobody's promise.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/types/function.h"
#include "engine/types/operator.h"
#include "scenarios/cli/sql/choices.h"
#include "scenarios/cli/sql/generated_schema.h"

namespace polarsim::scenarios::cli::test {

struct GeneratedStatement {
  std::string text;
  // The answer's columns, from 0, by which its rows are ordered one after the other.
  std::vector<std::size_t> ordered_by;
  // What it does to the schema if it succeeds; may be empty.
  std::function<void(GeneratedSchema&)> effect = {};
  // A call of a function that only a cluster has, and that changes no row that can be seen.
  bool cluster_only = false;
  // What it means for the schema if it fails; may be empty.
  std::function<void(GeneratedSchema&)> failure_effect = {};
  // What COPY FROM STDIN is given.
  std::optional<std::string> input = {};
};

// What statements are made for. A cluster's tables are local, distributed or reference tables, and distribution columns
// are met in joins and conditions more often.
enum class Target : std::uint8_t { node, cluster };

class StatementGenerator {
 public:
  StatementGenerator(Choices& choices, GeneratedSchema& schema, Target target)
      : choices_(choices), schema_(schema), clustered_(target == Target::cluster) {}

  GeneratedStatement statement();

 private:
  using TypeId = engine::TypeId;
  struct ScopeColumn {
    std::string qualifier;
    std::string name;
    engine::Type type;
    bool canonical = false;  // equal values have one text
    bool exact = false;      // floats whose sums are exact
    bool distributes = false;
    std::string text() const { return qualifier.empty() ? name : qualifier + "." + name; }
  };
  struct Scope {
    std::vector<ScopeColumn> columns;
    // Columns whose values tell every row from every other, if that is known.
    bool keyed = true;
    std::vector<std::string> keys;
    // Of the statement itself and no row but one: what fails, fails for certain. Whether a query inside is computed at
    // all, is a matter of the plan, and so is what fails by the parameters of a prepared statement.
    bool single_row = true;
    double rows = 1;  // at most, about
    const Scope* outer = nullptr;
  };
  // Of a WINDOW clause.
  struct NamedWindow {
    std::string name;
    bool ordered = false;
    bool total = false;  // its order tells every row from every other
    bool framed = false;
    engine::Type range = engine::TypeId::none;  // of its only column in ORDER BY, if there is one
  };
  // Where an expression stands.
  struct Place {
    const Scope* scope = nullptr;
    const Scope* aggregated = nullptr;  // aggregates over its rows are allowed
    bool windows = false;
    bool subqueries = true;
    const std::vector<NamedWindow>* named = nullptr;
    bool careful() const { return !scope->single_row || (aggregated != nullptr && !aggregated->single_row); }
  };
  struct OutputColumn {
    std::string name;
    engine::Type type;
    bool canonical = false;
  };
  struct Query {
    std::string text;
    std::vector<OutputColumn> columns;
    std::vector<std::size_t> ordered_by;
    bool single_row = false;
    // Aggregates without GROUP BY: PostgreSQL hands WITH TIES on to the LIMIT 1 by which it computes min() and max().
    bool one_group = false;
    double rows = 1;
  };
  struct CommonTable {
    std::string name;
    double rows = 1;
    std::vector<OutputColumn> columns;
  };

  // Expressions (expressions.cpp).
  TypeId any_type();
  TypeId canonical_type();
  std::string value(TypeId wanted, const Place& place, int depth, bool bare = true);
  std::string leaf(TypeId wanted, const Place& place, bool bare);
  const ScopeColumn* column_of(TypeId wanted, const Place& place);
  std::string column_text(const ScopeColumn& column, const Place& place);
  std::string case_expression(TypeId wanted, const Place& place, int depth);
  std::string conditional(TypeId wanted, const Place& place, int depth);
  std::string cast(TypeId wanted, const Place& place, int depth);
  std::string special(TypeId wanted, const Place& place, int depth);
  std::string scalar_subquery(TypeId wanted, const Place& place, int depth);
  std::string condition(const Place& place, int depth);
  std::string predicate(const Place& place, int depth);
  std::string subquery_condition(const Place& place, int depth);
  std::string list_of(TypeId wanted, const Place& place, int depth, std::size_t count);

  // Calls of what engine/types offers (calls.cpp).
  struct Signature;
  std::string operation(TypeId wanted, const Place& place, int depth);
  std::string call(TypeId wanted, const Place& place, int depth);
  bool resolve(std::span<const TypeId> arguments, TypeId result, TypeId wanted, Signature& signature);
  std::string aggregate(TypeId wanted, const Place& place);
  std::string aggregate_call(TypeId wanted, const Place& place, bool as_window);
  std::string ordered_text(const Place& place);

  // Windows (windows.cpp): `total` where the result depends on the order of peers.
  std::string window_call(TypeId wanted, const Place& place);
  std::string over(const Place& place, bool total);
  std::string window_definition(const Place& place, bool total, NamedWindow& made);
  std::string window_order(const Place& place, bool total, NamedWindow& made);
  std::string frame(const NamedWindow& window);
  std::string frame_offset(std::size_t mode, engine::Type range);
  std::string window_clause(const Place& place, std::vector<NamedWindow>& named);

  // Aggregates of a sorted list, and others with a syntax of their own (ordered_sets.cpp): empty if there is none.
  std::string ordered_set_call(TypeId wanted, const Place& place);
  std::string hypothetical_call(TypeId wanted, const Place& place);
  std::string object_call(TypeId wanted, const Place& place);

  // Patterns (patterns.cpp) and whole rows (whole_rows.cpp); empty if there is none.
  std::string pattern_condition(const Place& place, int depth);
  std::string pattern_call(TypeId wanted, const Place& place, int depth);
  std::string whole_row(const Place& place);
  std::string of_whole_row(TypeId wanted, const Place& place);

  // Queries (queries.cpp, from.cpp).
  Query query(const std::vector<TypeId>& wanted, const Scope* outer, int depth, bool top);
  Query plain_select(const std::vector<TypeId>& wanted, const Scope* outer, int depth, bool top);
  Query grouped_select(const std::vector<TypeId>& wanted, const Scope* outer, int depth, bool top);
  Query set_operation(const std::vector<TypeId>& wanted, const Scope* outer, int depth, bool top);
  Query values_query(const std::vector<TypeId>& wanted, const Scope* outer, bool top);
  std::string with_clause(int depth);
  std::vector<TypeId> any_types();
  std::string order_and_limit(Query& query, const Scope* scope, bool distinct);
  std::string targets(Query& query, const std::vector<TypeId>& wanted, const Place& place, int depth);
  // GROUP BY (grouping.cpp).
  std::string group_list(const std::vector<std::string>& keys);
  std::string grouping_set(const std::vector<std::string>& keys, int depth);
  std::string grouping_call(const Place& place);
  std::vector<ScopeColumn> group_keys(const Scope& scope);
  ScopeColumn computed_key(const ScopeColumn& column);
  // Recursive common tables (recursive.cpp).
  std::string recursive_table(int depth);
  std::string counted_table(CommonTable& common);
  std::string walked_table(CommonTable& common);
  std::string path_table(CommonTable& common);
  std::string nested_recursion(CommonTable& common);
  // Subqueries (subqueries.cpp).
  std::string correlation(const Scope& scope);
  std::string row_condition(const Place& place, int depth);
  std::string extreme_rows(const std::vector<TypeId>& types, const Place& place, int depth);
  std::string of_outer_aggregate(const Place& place, int depth);
  // Functions and VALUES in FROM (functions_in_from.cpp).
  std::string function_item(Scope& scope, const Scope* lateral);
  std::string function_call(std::vector<OutputColumn>& columns, const Scope* lateral);
  std::string argument_of(TypeId wanted, const Scope* lateral, const std::string& otherwise);
  std::string values_item(Scope& scope);
  std::string from_clause(Scope& scope, int depth);
  std::string from_item(Scope& scope, const Scope* lateral, int depth);
  std::string joined(const Scope& left, const Scope& right, const std::string& left_text,
                     const std::string& right_text);
  void add_columns(Scope& scope, const std::string& alias, const std::vector<OutputColumn>& columns);
  void add_table(Scope& scope, const std::string& alias, const GeneratedTable& table);
  std::string new_alias() { return "t" + std::to_string(++aliases_); }
  const GeneratedTable* any_table(bool views);

  // Which comes next (statements.cpp).
  GeneratedStatement changing_statement();
  GeneratedStatement defining_statement(bool more_tables);
  GeneratedStatement session_statement();

  // Changes (changes.cpp, assignments.cpp, conflicts.cpp).
  GeneratedStatement select_statement();
  // A common table that changes a table and gives rows of it.
  std::string changing_common_table();
  // Several of them, of which one reads another (changing_with.cpp).
  GeneratedStatement changing_with();
  GeneratedStatement explain_statement();
  GeneratedStatement repartition_statement();
  GeneratedStatement insert_statement();
  GeneratedStatement update_statement();
  GeneratedStatement delete_statement();
  std::string stored_value(const GeneratedColumn& column, const Place* place);
  // What SET says: `place` is of the row that is changed.
  std::string assignments(const GeneratedTable& table, const Place& place);
  std::string row_assignment(const std::vector<const GeneratedColumn*>& columns, const Place& place);
  std::string returning(const GeneratedTable& table, const std::string& alias, bool only_own = false);
  std::string on_conflict(const GeneratedTable& table);
  std::string conflict_target(const GeneratedTable& table);
  std::string changing_where(const GeneratedTable& table, Scope& scope);

  // PREPARE and EXECUTE (prepared.cpp).
  GeneratedStatement prepare_statement();
  GeneratedStatement execute_statement();
  GeneratedStatement deallocate_statement();

  // FOR UPDATE and its like (locking.cpp).
  GeneratedStatement locking_statement();
  Query locked_select(const std::vector<TypeId>& wanted, bool top);
  std::string locking_clause(const Scope& scope);

  // Definitions (definitions.cpp, indexes.cpp, views.cpp, constraints.cpp, renaming.cpp, foreign_keys.cpp).
  GeneratedStatement create_table();
  GeneratedStatement create_index();
  GeneratedStatement drop_index();
  GeneratedStatement create_view();
  GeneratedStatement replace_view();
  GeneratedStatement alter_table();
  GeneratedStatement constraint_statement();
  GeneratedStatement add_constraint(const GeneratedTable& table);
  GeneratedStatement rename_statement();
  GeneratedStatement rename_relation(const GeneratedTable& table);
  GeneratedStatement drop_statement();
  GeneratedStatement truncate_statement();
  // REFERENCES ..., to a table with a key of the type; empty if there is none.
  std::string reference(engine::Type type, const GeneratedTable& table, const std::string& column);
  GeneratedColumn column_definition(const std::string& name, GeneratedTable& table, std::string& text);
  engine::Type column_type();

  // Where a table is to be, and what its keys must have for that (placement.cpp).
  void choose_placement(GeneratedTable& table);
  bool follow_references(GeneratedTable& table);
  GeneratedStatement place_table(const GeneratedTable& table);
  GeneratedStatement change_placement();
  GeneratedStatement place_schema();

  // Sequences, and columns that count by them (sequences.cpp).
  GeneratedStatement sequence_statement();
  GeneratedStatement create_sequence();
  GeneratedStatement alter_sequence(const std::string& name);
  GeneratedStatement drop_sequence(const std::string& name);
  GeneratedStatement call_sequence();
  GeneratedStatement numbered_column();
  std::string sequence_options(bool altered);

  // Schemas and the search path (schemas.cpp), settings (settings.cpp), COPY (copying.cpp).
  GeneratedStatement schema_statement();
  GeneratedStatement move_to_schema();
  GeneratedStatement drop_schema();
  GeneratedStatement search_path_statement();
  GeneratedStatement setting_statement();
  GeneratedStatement copy_statement();
  GeneratedStatement copy_out();
  GeneratedStatement copy_in();
  struct CopyForm {
    bool in = false;
    bool csv = false;
    bool header = false;
    char delimiter = '\t';
    std::string null = "\\N";
  };
  std::string copy_options(const std::vector<std::string>& columns, CopyForm& form);
  std::string copied_field(const GeneratedColumn& column, const CopyForm& form);

  Choices& choices_;
  GeneratedSchema& schema_;
  bool clustered_;
  std::vector<CommonTable> common_tables_;
  std::size_t aliases_ = 0;
  // Of a statement that is prepared: its parameters so far.
  bool has_parameters_ = false;
  std::vector<TypeId> parameters_;
};

}  // namespace polarsim::scenarios::cli::test
