// A query while it is analysed: what names mean in it, and what has been found out so far (PostgreSQL's ParseState,
// src/include/parser/parse_node.h, parse_relation.c, parse_agg.c).
//
// Scopes form a chain by `parent`: a column that is not found here is looked for around. Private to the analysis; what
// others use is analysis.h and, of a scope, ExpressionScope.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/query/analysis.h"
#include "engine/query/clause.h"
#include "engine/query/expression_analysis.h"
#include "engine/query/query.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

inline constexpr int parameters_max = 65535;

// What a statement has in common with its subqueries.
struct StatementState {
  const AnalysisContext& context;
  std::vector<std::uint32_t> views = {};  // that are being analysed now
  // Parameters that had no type where they were met, and have not got one since.
  struct Untyped {
    int index = 0;
    int position = 0;
  };
  std::vector<Untyped> untyped_parameters = {};
  // What PostgreSQL finds wrong after the whole statement has been analysed: the first error of the earliest of these.
  enum class Late : std::uint8_t { inserted_values, assignments, arbiters };
  std::optional<SqlError> late_error = {};
  Late late_error_of = Late::inserted_values;
  void fail_late(Late of, SqlError error) {
    if (late_error && late_error_of <= of) return;
    late_error = std::move(error);
    late_error_of = of;
  }
};

// A name in FROM. There may be more of them than entries (the alias of USING), and entries without one.
struct NamespaceItem {
  int entry = 0;
  std::string name;
  // Of a join: what its columns stand for; those of a base entry are themselves (null).
  std::shared_ptr<const std::vector<Column>> references;
  int columns = -1;  // only the first so many are seen; -1: all
  bool table_visible = true;
  bool columns_visible = true;
  bool lateral_only = false;  // seen by LATERAL items alone
  bool lateral_ok = true;     // else: an error for LATERAL items, too
};

// A column that a name was found to mean.
struct FoundColumn {
  const NamespaceItem* item = nullptr;
  int column = 0;  // of the item's entry
  int levels_up = 0;
};

class QueryScope final : public ExpressionScope {
 public:
  QueryScope(StatementState& statement, QueryScope* parent) : statement_(statement), parent_(parent) {}
  QueryScope(const QueryScope&) = delete;
  QueryScope& operator=(const QueryScope&) = delete;

  Query query;
  std::vector<NamespaceItem> names;
  Clause clause = Clause::other;
  bool lateral_active = false;
  // Unknown literals at the end of the select list become text; not so in INSERT ... SELECT and in UNION.
  bool settle_unknowns = true;
  // WITH: how many of query.common_tables may be named now, and what comes later (for a hint).
  std::size_t visible_common_tables = 0;
  std::vector<std::string_view> later_common_tables;
  // The common table this query defines: its number in the parent's list; -1: none.
  int defined_common_table = -1;
  const std::vector<std::string>* defined_column_names = nullptr;  // that it was given
  int excluded_entry = -1;  // ON CONFLICT's EXCLUDED, which has no system columns
  const std::vector<syntax::LockingClause>* locking = nullptr;
  bool locked_from_parent = false;

  bool has_aggregates = false;
  bool has_window_calls = false;
  bool has_target_set_functions = false;
  // Windows in order: those of WINDOW, then those written at calls. Owned by the statement's tree.
  std::vector<const syntax::WindowSpecification*> window_specifications;
  // GROUPING() calls that wait for GROUP BY: their arguments. The placeholder in the tree has groups {-1 - position}.
  std::vector<std::vector<ExpressionPtr>> pending_groupings;
  // Of the last set-returning function met: its position, and how many there were.
  int set_functions_met = 0;
  int last_set_function_position = 0;
  int previous_set_function_position = 0;

  StatementState& statement() { return statement_; }
  QueryScope* parent() { return parent_; }
  const AnalysisContext& context() const { return statement_.context; }

  // --- names (name_resolution.cpp) ---
  // By name alone. Null if there is none; throws 42702.
  std::optional<FoundColumn> find_column(std::string_view name, int position, bool this_level_only = false);
  // The item of the name; `schema` empty: by alias or name. Null if there is none; throws 42P09.
  NamespaceItem* find_item(std::string_view schema, std::string_view name, int position, int* levels_up = nullptr);
  // A column of one item, 0 if there is none; throws 42702.
  int find_in_item(const NamespaceItem& item, std::string_view column, int position);
  ExpressionPtr make_column(const FoundColumn& found, int position);
  ExpressionPtr make_whole_row(const NamespaceItem& item, int levels_up, int position);
  // The columns of an item that * stands for.
  void expand_item(const NamespaceItem& item, int levels_up, int position, std::vector<Target>& targets);
  // What *, t.* and s.t.* stand for.
  std::vector<Target> expand_star(const syntax::Expression& reference);
  NamespaceItem& add_item(int entry, bool columns_visible = true);
  // 42712 if two of the visible names are the same.
  void check_conflicts(std::span<const NamespaceItem> left, std::span<const NamespaceItem> right) const;
  QueryScope& around(int levels_up);
  // The common table that the name means in FROM; null if there is none.
  CommonTable* find_common_table(std::string_view name, int* levels_up = nullptr, std::size_t* number = nullptr);
  [[noreturn]] void throw_missing_table(std::string_view schema, std::string_view name, int position);
  [[noreturn]] void throw_missing_column(std::string_view table, std::string_view column, int position);

  // --- ExpressionScope ---
  ExpressionPtr column(const syntax::Expression& reference) override;
  std::vector<ExpressionPtr> star(const syntax::Expression& reference) override;
  std::vector<OutputName> row_fields(const Column& whole_row) override;
  std::string row_name(const Column& whole_row) override;
  RelationPtr row_table(const Column& whole_row) override;
  RelationPtr find_relation(std::string_view schema, std::string_view name) override;
  bool has_schema(std::string_view name) override;
  QueryPtr subquery(const syntax::Select& select, int position) override;
  ExpressionPtr parameter(const syntax::Expression& reference) override;
  void settle_parameter(int index, TypeId type, int position) override;
  ExpressionPtr aggregate(Aggregate call, Type type, int position) override;
  ExpressionPtr window_call(WindowCall call, Type type, const syntax::WindowSpecification& over, int position) override;
  ExpressionPtr grouping(const std::vector<syntax::ExpressionPtr>& arguments, int position) override;
  void set_returning_call(const FunctionEntry& function, int position) override;
  void enter_aggregate_arguments() override {}
  void leave_aggregate_arguments() override {}
  const CallContext& call_context() const override { return statement_.context.call; }
  std::vector<ErrorFields>* notices() override { return context().notices; }

 private:
  const RangeTableEntry* find_entry_meant_by(std::string_view schema, std::string_view name);
  ExpressionPtr starred_row(const syntax::Expression& reference);
  int window_number(const syntax::WindowSpecification& over);

  StatementState& statement_;
  QueryScope* parent_;
};

// An expression in a clause of its own, unknown types left as they are.
ExpressionPtr analyse_in(QueryScope& scope, Clause clause, const syntax::ExpressionPtr& expression);
ExpressionPtr analyse_condition_in(QueryScope& scope, Clause clause, const syntax::ExpressionPtr& expression,
                                   std::string_view construct);

// Sets a member for the time of a block.
template <typename T>
class Restore {
 public:
  Restore(T& place, T value) : place_(place), old_(place) { place = value; }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;
  ~Restore() { place_ = old_; }

 private:
  T& place_;
  T old_;
};

}  // namespace polarsim::engine::query
