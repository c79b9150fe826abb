// Writes statements as text. Every compound operand is put in brackets, so that precedence never matters. Private to
// deparse().
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/syntax/ast.h"

namespace polarsim::engine::syntax {

class Writer {
 public:
  std::string take() { return std::move(out_); }

  // An expression in a place that commas, brackets or keywords delimit.
  void expression(const Expression& node);

  void write(const Select& select);
  void write(const Insert& insert);
  void write(const Update& update);
  void write(const Delete& statement);
  void write(const CreateTable& create);
  void write(const CreateTableAs& create);
  void write(const CreateIndex& create);
  void write(const CreateSequence& create);
  void write(const AlterSequence& alter);
  void write(const CreateView& create);
  void write(const CreateSchema& create);
  void write(const Drop& drop);
  void write(const AlterTable& alter);
  void write(const Rename& rename);
  void write(const AlterSchema& alter);
  void write(const RefreshMaterializedView& refresh);
  void write(const Truncate& truncate);
  void write(const Comment& comment);
  void write(const Copy& copy);
  void write(const Explain& explain);
  void write(const Prepare& prepare);
  void write(const Execute& execute);
  void write(const Deallocate& deallocate);
  void write(const LockTable& lock);
  void write(const Vacuum& vacuum);
  void write(const Checkpoint& checkpoint);
  void write(const Discard& discard);
  void write(const TransactionControl& control);
  void write(const SetTransaction& set);
  void write(const SetVariable& set);
  void write(const ShowVariable& show);

 private:
  // Everything.
  void name(std::string_view text);
  void qualified(std::string_view schema, std::string_view text);
  void names(const std::vector<std::string>& list);
  void bracketed_names(const std::vector<std::string>& list);  // nothing if there are none
  void path(const std::vector<std::string>& parts);
  void literal(std::string_view text);
  void type(const TypeName& type);
  void clause(std::string_view keyword, const ExpressionPtr& condition);
  void expressions(const std::vector<ExpressionPtr>& list, std::size_t from = 0);
  // Writes the items with commas between them.
  template <typename List, typename Write>
  void separated(const List& list, Write write) {
    bool first = true;
    for (const auto& item : list) {
      if (!first) out_ += ", ";
      first = false;
      write(item);
    }
  }

  // deparse_expression.cpp
  void operand(const Expression& node);
  void bracketed(const Expression& node);
  void constant(const Expression& node);
  void operator_name(const Expression& node);
  void operation(const Expression& node);
  void comparison(const Expression& node);
  void test(const Expression& node);
  void like(const Expression& node);
  void joined(const std::vector<ExpressionPtr>& arguments, std::string_view separator);
  void call(std::string_view keyword, const Expression& node);
  void case_when(const Expression& node);
  void function(const Expression& node);
  void subscripts(const std::vector<Expression::Subscript>& list);
  void group_set(const Expression& node);
  void subquery(const Expression& node);
  void window(const WindowSpecification& specification);
  void frame_bound(WindowSpecification::Bound bound, const ExpressionPtr& offset);
  void order_by(const std::vector<OrderItem>& items);

  // deparse_query.cpp
  void with(const WithPtr& with);
  void body(const CommonTableBody& body);
  void set_operand(const Select& select);
  void select_clauses(const Select& select);
  void limit(const Select& select);
  void items(const std::vector<SelectItem>& list);
  void locking(const LockingClause& clause);
  void table(const TableName& name);
  void from(std::string_view keyword, const std::vector<FromItemPtr>& items);
  void from_item(const FromItem& item, bool right_of_join = false);
  void join(const FromJoin& join);
  void from_call(const Expression& call);
  void from_function(const FromFunction& function, const FromItem& item);
  void column_list(const std::vector<ColumnDefinitionItem>& columns);
  void alias(const std::string& name, const std::vector<std::string>& columns);
  void assignments(const std::vector<Assignment>& list);
  void conflict(const OnConflict& on_conflict);
  void index_element(const IndexElement& element);
  void returning(const std::vector<SelectItem>& list);

  // deparse_definition.cpp
  void column(const ColumnDefinition& definition);
  void constraint(const Constraint& constraint, bool of_column);
  void constraint_body(const Constraint& constraint, bool of_column);
  void foreign_key(const Constraint& constraint, bool of_column);
  void parameters(const std::vector<Parameter>& list, std::string_view keyword);
  void parameter(const Parameter& parameter, std::string_view separator);
  void sequence_options(const SequenceOptions& options);
  void table_tail(OnCommit on_commit, const std::string& access_method, const std::vector<Parameter>& list);

  // deparse_alter.cpp
  void action(const AlterTable::Action& action);
  void role(const std::string& name);
  void modes(const TransactionModes& modes);
  void setting(std::string_view name);

  std::string out_;
};

}  // namespace polarsim::engine::syntax
