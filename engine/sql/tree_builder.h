// From the grammar's raw JSON tree to this engine's statements, in one pass. Private to the parser.
//
// The raw tree leaves out what has its default value, so every builder first checks that a node has no field it does
// not know: what is not understood is refused with 0A000, never silently dropped.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sql/ast.h"
#include "engine/sql/raw_tree.h"

namespace polarsim::engine::sql {

// Turns byte offsets into 1-based character positions, as PostgreSQL reports them.
class CharacterPositions {
 public:
  explicit CharacterPositions(std::string_view text);
  int at(std::int64_t byte_offset) const;  // 0 for a negative (unknown) offset

 private:
  static constexpr std::size_t block_bytes = 64;
  std::string_view text_;
  std::vector<int> characters_before_block_;  // empty if the text is pure ASCII
};

class TreeBuilder {
 public:
  explicit TreeBuilder(std::string_view text) : text_(text), positions_(text) {}

  // `wrapped` is the statement node of one RawStmt.
  StatementPtr build(raw::element wrapped);

 private:
  struct FieldName {
    std::string_view field;
    std::string_view meaning;  // what the refusal calls it
  };

  int position_of(raw::object fields) const;
  // Throws 0A000 for a field that is in neither list, by its meaning for one in `refused`.
  void allow_fields(raw::object fields, std::initializer_list<std::string_view> allowed,
                    std::initializer_list<FieldName> refused = {}) const;

  // tree_builder_expression.cpp
  ExpressionPtr expression(raw::element wrapped, int depth);
  ExpressionPtr column_reference(raw::object fields);
  ExpressionPtr constant(raw::object fields);
  std::int64_t reread_integer(raw::object fields) const;
  ExpressionPtr parameter(raw::object fields, TypeId type);
  ExpressionPtr operator_expression(raw::object fields, int depth);
  ExpressionPtr plain_operator(raw::object fields, std::string name, int depth);
  ExpressionPtr in_list(raw::object fields, bool negated, int depth);
  ExpressionPtr between(raw::object fields, bool negated, int depth);
  ExpressionPtr boolean_expression(raw::object fields, int depth);
  ExpressionPtr boolean_test(raw::object fields, int depth);
  ExpressionPtr case_expression(raw::object fields, int depth);
  ExpressionPtr cast(raw::object fields, int depth);
  ExpressionPtr function_call(raw::object fields, int depth);
  ExpressionPtr named_list(Expression::Kind kind, std::string name, raw::object fields, int depth);
  TypeId type_of(raw::object type_name) const;
  void note_copy(const ExpressionPtr& copied);
  ExpressionPtr finish(Expression&& node);

  // tree_builder_query.cpp
  Select select(raw::object fields);
  Insert insert(raw::object fields);
  Update update(raw::object fields);
  Delete delete_from(raw::object fields);
  TableName table_name(raw::object fields) const;
  ExpressionPtr optional_expression(raw::object fields, std::string_view key);
  std::vector<SelectItem> select_items(raw::object fields, std::string_view key);
  std::vector<Assignment> assignments(raw::object fields);
  std::vector<OrderItem> order_items(raw::object fields);
  OnConflict on_conflict(raw::object fields);
  void values_rows(raw::object select_fields, Insert& into);
  void locking(raw::object fields, Select& into) const;

  // tree_builder_definition.cpp
  CreateTable create_table(raw::object fields);
  void column_definition(raw::object fields, CreateTable& into);
  void column_constraint(raw::object fields, ColumnDefinition& column, CreateTable& into);
  void table_constraint(raw::object fields, CreateTable& into) const;
  void finish_keys(CreateTable& table) const;
  CreateIndex create_index(raw::object fields) const;
  CreateSequence create_sequence(raw::object fields) const;
  std::int64_t option_integer(raw::object option) const;
  StatementBody drop(raw::object fields) const;

  // tree_builder_utility.cpp
  Truncate truncate(raw::object fields) const;
  LockTable lock_table(raw::object fields) const;
  Vacuum vacuum(raw::object fields) const;
  Discard discard(raw::object fields) const;
  TransactionControl transaction(raw::object fields) const;
  TransactionModes transaction_modes(raw::array options) const;
  StatementBody set_variable(raw::object fields) const;
  std::string setting_text(raw::object fields) const;
  std::vector<TableName> table_names(raw::object fields) const;

  std::string_view text_;
  CharacterPositions positions_;
  int parameters_ = 0;
  bool in_on_conflict_ = false;
  std::size_t copied_nodes_ = 0;
};

}  // namespace polarsim::engine::sql
