// From the grammar's raw JSON tree to this engine's statements, in one pass. Private to the parser.
//
// The raw tree leaves out what has its default value, so a builder checks that a node that could say more than its
// tree can hold has no field it does not know: what is not understood is refused with 0A000, never silently dropped.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "engine/syntax/ast.h"
#include "engine/syntax/raw_tree.h"

namespace polarsim::engine::syntax {

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

// Throws 0A000 "<what> is not supported".
[[noreturn]] void refuse(std::string_view what, int position = 0);

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

  // Counts how deep the tree is; 54001 beyond max_expression_depth.
  class Level {
   public:
    explicit Level(TreeBuilder& builder);
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    ~Level() { --builder_.depth_; }

   private:
    TreeBuilder& builder_;
  };

  // An absent location is offset 0, as the tree leaves zeros out; so only for nodes that have one.
  int position_of(raw::object fields) const;
  // Throws 0A000 for a field that is in neither list, by its meaning for one in `refused`.
  void allow_fields(raw::object fields, std::initializer_list<std::string_view> allowed,
                    std::initializer_list<FieldName> refused = {}) const;
  StatementBody body(const raw::Node& node);
  StatementPtr nested_statement(raw::object fields, std::string_view key);
  std::vector<std::string> object_name(raw::object fields, std::string_view key, int position) const;

  // tree_builder_expression.cpp
  ExpressionPtr expression(raw::element wrapped);
  ExpressionPtr optional_expression(raw::object fields, std::string_view key);
  std::vector<ExpressionPtr> expressions(raw::object fields, std::string_view key);
  ExpressionPtr other_expression(const raw::Node& node);
  ExpressionPtr column_reference(raw::object fields);
  ExpressionPtr operator_expression(raw::object fields);
  ExpressionPtr boolean_expression(raw::object fields);
  ExpressionPtr boolean_test(raw::object fields);
  ExpressionPtr null_test(raw::object fields);
  ExpressionPtr case_expression(raw::object fields);
  ExpressionPtr function_call(raw::object fields);
  ExpressionPtr indirection(raw::object fields);
  ExpressionPtr subquery(raw::object fields);
  ExpressionPtr array_of(raw::object fields, bool nested);
  ExpressionPtr argument_list(Expression::Kind kind, raw::object fields, std::string_view key);
  Expression::Subscript subscript_of(raw::object fields);

  // tree_builder_constant.cpp
  ExpressionPtr constant(raw::object fields);
  ExpressionPtr value_function(raw::object fields);
  ExpressionPtr parameter(raw::object fields);
  ExpressionPtr cast(raw::object fields);
  TypeName type_name(raw::object fields) const;
  std::int64_t reread_integer(std::int64_t location, std::string_view word_before = {}) const;
  std::int64_t option_integer(raw::object option) const;
  // Options of WITH (...), COPY and the like.
  std::vector<Parameter> parameters(raw::object fields, std::string_view key);
  Parameter parameter_option(raw::object option);
  bool option_flag(const Parameter& option) const;

  // tree_builder_query.cpp
  SelectPtr select_pointer(raw::element wrapped);
  Select select(raw::object fields);
  void select_clauses(raw::object fields, Select& into);
  void grouping(raw::object fields, Select& into);
  std::vector<SelectItem> select_items(raw::object fields, std::string_view key);
  std::vector<OrderItem> order_items(raw::object fields, std::string_view key);
  WindowSpecification window(raw::object fields);
  void locking(raw::object fields, Select& into) const;
  WithPtr with_clause(raw::object fields);
  CommonTableBody table_body(raw::element wrapped);

  // tree_builder_from.cpp
  TableName table_name(raw::object fields) const;
  std::vector<TableName> table_names(raw::object fields, std::string_view key) const;
  std::vector<FromItemPtr> from_items(raw::object fields, std::string_view key);
  FromItemPtr from_item(raw::element wrapped);
  FromItemPtr join(raw::object fields);
  FromItemPtr from_function(raw::object fields);
  std::vector<ColumnDefinitionItem> column_list(raw::object fields, std::string_view key) const;

  // tree_builder_change.cpp
  Insert insert(raw::object fields);
  Update update(raw::object fields);
  Delete delete_from(raw::object fields);
  std::vector<Assignment> assignments(raw::object fields);
  std::vector<Expression::Subscript> target_subscripts(raw::object fields);
  OnConflict on_conflict(raw::object fields);
  IndexElement index_element(raw::object fields);

  // tree_builder_definition.cpp
  CreateTable create_table(raw::object fields);
  ColumnDefinition column_definition(raw::object fields);
  std::string collation(raw::object fields, int* position = nullptr) const;
  void take_tablespace(raw::object fields, std::string_view key) const;
  OnCommit on_commit(raw::object fields, std::string_view key, raw::object relation) const;
  void column_constraints(raw::object fields, ColumnDefinition& column);
  Constraint constraint(raw::object fields);
  void foreign_key(raw::object fields, Constraint& into);
  CreateTable::Like like_clause(raw::object fields) const;
  CreateTableAs create_table_as(raw::object fields);
  CreateTableAs select_into(raw::object select_fields, raw::object into_fields);
  void into_clause(raw::object fields, CreateTableAs& out);
  CreateIndex create_index(raw::object fields);
  CreateSequence create_sequence(raw::object fields) const;
  AlterSequence alter_sequence(raw::object fields) const;
  SequenceOptions sequence_options(raw::object fields, std::string_view key) const;
  CreateView create_view(raw::object fields);
  CreateSchema create_schema(raw::object fields) const;

  // tree_builder_alter.cpp
  Drop drop(const raw::Node& node) const;
  AlterTable alter_table(raw::object fields);
  AlterTable alter_owner(const raw::Node& node) const;
  AlterTable::Action alter_action(raw::object fields);
  Rename rename(raw::object fields) const;
  AlterSchema alter_schema(raw::object fields) const;
  Comment comment(raw::object fields) const;
  RefreshMaterializedView refresh(raw::object fields) const;
  Truncate truncate(raw::object fields) const;
  std::string role_name(raw::object fields) const;
  TableName named_object(raw::element wrapped) const;

  // tree_builder_utility.cpp
  Copy copy(raw::object fields);
  Explain explain(raw::object fields);
  Prepare prepare(raw::object fields);
  Execute execute(raw::object fields);
  LockTable lock_table(raw::object fields) const;
  Vacuum vacuum(raw::object fields);
  Discard discard(raw::object fields) const;
  TransactionControl transaction(raw::object fields) const;
  TransactionModes transaction_modes(raw::object fields, std::string_view key) const;
  StatementBody set_variable(raw::object fields) const;
  std::string setting_text(raw::object fields) const;

  std::string_view text_;
  CharacterPositions positions_;
  int parameters_ = 0;
  int depth_ = 0;
  bool into_allowed_ = false;  // the next SELECT without UNION and the like may have INTO, which is known already
};

// An expression node of this kind that stands there.
Expression node_at(Expression::Kind kind, int position);
ExpressionPtr finish(Expression&& node);

}  // namespace polarsim::engine::syntax
