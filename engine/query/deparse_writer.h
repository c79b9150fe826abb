// Writes queries and expressions as SQL. Private to the deparse_*.cpp files; what is written, and where lines break, is
// PostgreSQL's src/backend/utils/adt/ruleutils.c.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/query/deparse.h"
#include "engine/query/deparse_names.h"

namespace polarsim::engine::query {

class Writer {
 public:
  struct Style {
    bool indent = true;           // break lines
    bool fewer_brackets = false;  // PostgreSQL's PRETTYFLAG_PAREN
    bool for_nodes = false;
  };
  Writer(const DeparseOptions& options, Style style) : options_(options), style_(style) {}

  // --- deparse_query.cpp ---
  // `names`: what the columns have to be called, as a view's are; null: as the query says. `names_are_visible`:
  // somebody may refer to them.
  void write_query(const Query& query, const std::vector<std::string>* names, bool names_are_visible);

  // --- deparse_expression.cpp ---
  // `show_implicit`: conversions that nobody wrote, too.
  void write(const Expression& expression, bool show_implicit);
  bool write_field_of_subquery(const FieldSelection& selection);

  // For expressions outside of queries.
  void set_relation(const Relation* relation) { relation_ = relation; }
  void set_plan_names(const PlanNames* names) { plan_names_ = names; }
  std::string take() { return std::move(text_); }

 private:
  // Levels of indentation.
  static constexpr int standard = 8;
  static constexpr int of_join = 4;
  static constexpr int of_variable = 4;

  // --- text ---
  void put(std::string_view text) { text_ += text; }
  void put_name(std::string_view name);
  void put_type(Type type);  // "::integer"
  void put_type_name(Type type);
  // PostgreSQL's appendContextKeyword(): on a new line if lines are broken.
  void put_keyword(std::string_view keyword, int indent_before, int indent_after, int indent_plus);
  void remove_trailing_spaces();
  // Whether the item just written has to go on a new line: puts it behind what was there.
  void put_item_on_line(std::string before, bool break_before);

  // --- queries (deparse_query.cpp) ---
  void write_select(const Query& query, const std::vector<std::string>* names, bool names_are_visible);
  void write_basic_select(const Query& query, const std::vector<std::string>* names, bool names_are_visible);
  void write_targets(const std::vector<Target>& targets, const std::vector<std::string>* names, bool names_are_visible);
  void write_common_tables(const Query& query);
  void write_set_operation(const SetOperation& operation, const Query& query, const std::vector<std::string>* names,
                           bool names_are_visible);
  void write_values(const ValuesSource& values);
  void write_assigned_rows(const ValuesSource& values);
  void write_group_by(const Query& query);
  void write_row_marks(const Query& query);
  void write_sort_target(const Query& query, int target, bool by_number);
  void write_sort_expression(const Expression& expression);
  void write_order(const Query& query, const std::vector<SortClause>& order, bool by_number);
  void write_order_suffix(bool descending, bool nulls_first);
  void write_window(const Query& query, const Window& window);
  void write_frame(const Window& window);
  void write_bound(Window::Bound bound, const ExpressionPtr& offset);
  void write_limit(const Query& query);

  // --- FROM (deparse_from.cpp) ---
  void write_from(const Query& query, std::string_view keyword, const JoinTree* left_out);
  void write_from_item(const JoinTree& tree);
  void write_leaf(int entry);
  void write_join(const JoinTree& tree);
  void write_function_source(const FunctionSource& source);
  void write_column_definitions(const RangeTableEntry& entry, const EntryNames& names);
  static bool needs_column_definitions(const FunctionSource& source);
  void write_columns_of_alias(const EntryNames& names);
  // The relation's name in this style; what it is called there, without its schema, is given back.
  std::string write_relation_name(const Relation& relation);

  // --- changes (deparse_change.cpp) ---
  void write_insert(const Query& query);
  void write_update(const Query& query);
  void write_delete(const Query& query);
  void write_changed_table(const Query& query, std::string_view keyword, bool with_as);
  void write_assignments(const Query& query, const std::vector<Target>& targets);
  void write_assigned(const Expression& expression);
  void write_conflict(const Query& query);
  void write_returning(const Query& query);
  void write_insert_values(const Query& query);
  void write_insert_defaults(const Query& query);
  const RelationColumn& changed_column(const Query& query, const Target& target) const;

  // --- expressions (deparse_expression.cpp) ---
  void write_operand(const Expression& expression, bool show_implicit, const Expression& parent);
  void write_list(const std::vector<ExpressionPtr>& list, bool show_implicit);
  void write_row_fields(const std::vector<ExpressionPtr>& fields);
  void write_named_row(const RowConstructor& row);
  void write_logical(const Logical& logical, const Expression& expression);
  void write_case(const Case& choice);
  void write_conversion(const Convert& conversion, const Expression& expression, bool show_implicit);
  void write_cast(const Expression& argument, Type target, const Expression& parent);
  void write_column(const Column& column, const Expression& expression, bool at_top);
  void write_subscripts(const std::vector<Subscript::Index>& indexes);
  void write_subquery(const Subquery& subquery);
  void write_value_function(const ValueFunction& function);
  void write_parameter(const Parameter& parameter, Type type);
  void open_bracket() {
    if (!style_.fewer_brackets) put("(");
  }
  void close_bracket() {
    if (!style_.fewer_brackets) put(")");
  }
  std::string field_name(const Expression& record, int field) const;

  // --- constants and calls (deparse_call.cpp) ---
  enum class Label : std::uint8_t { never, where_needed, always };
  void write_constant(const Value& value, Type type, Label label);
  void write_record(const Record& record);
  void write_call(const Call& call, const Expression& expression, bool show_implicit);
  bool write_special_syntax(const Call& call, const Expression& expression);
  void write_aggregate(const Aggregate& aggregate);
  void write_window_call(const WindowCall& call);
  void write_function_name(const FunctionEntry& function);

  const QueryNames& names_at(int levels_up) const;

  const DeparseOptions& options_;
  Style style_;
  const Relation* relation_ = nullptr;
  const PlanNames* plan_names_ = nullptr;
  std::string text_;
  int indent_ = 0;
  std::vector<QueryNames> names_;  // of the queries around, innermost last
  TakenNames taken_;               // by them
  bool prefixed_ = false;          // columns are written with their tables
  // Named joins that are being written: inside them the tables' own names hold. One list a query.
  std::vector<std::vector<int>> open_joins_;
};

// Whether the node may stand below the parent without brackets, where operators' priorities are trusted.
bool is_simple(const Expression& expression, const Expression& parent, bool fewer_brackets);

}  // namespace polarsim::engine::query
