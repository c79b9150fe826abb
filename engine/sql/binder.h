// Turns one expression tree into a program, resolving names and types on the way. Private to analysis.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sql/aggregate.h"
#include "engine/sql/bound_node.h"

namespace polarsim::engine::sql {

class Binder {
 public:
  // `inside_aggregate`: the expression is an aggregate's argument, where no further aggregate may be.
  explicit Binder(const AnalyzeOptions& options, bool inside_aggregate = false)
      : options_(options), inside_aggregate_(inside_aggregate), node_(std::make_shared<BoundNode>()) {}

  // The type of a value the program has computed so far. An unknown one is still a bare literal or parameter, and
  // `unresolved` is the instruction that pushes it: whoever uses the value gives it a type.
  struct Typed {
    TypeId type = TypeId::unknown;
    int unresolved = -1;
    const Expression* node = nullptr;

    // Where the text of the value begins, which is what errors about its type point at.
    int position() const;
  };

  // Appends the code that pushes the expression's value.
  Typed emit(const Expression& node);
  // Gives a bare literal or parameter the type its context wants; others are left alone. Throws for a literal the type
  // cannot read.
  void resolve(Typed& value, TypeId type);
  void cast_explicitly(Typed& value, TypeId type, int position);
  // False if PostgreSQL has no such assignment cast.
  bool cast_for_assignment(Typed& value, TypeId type);
  // Resolves to boolean, or throws 42804 naming `what`.
  void require_boolean(Typed& value, std::string_view what);
  // The program, whose value is `result`.
  BoundExpression finish(Typed result);

 private:
  // binder.cpp
  Typed emit_kind(const Expression& node);
  Typed constant(const Expression& node);
  Typed parameter(const Expression& node);
  Typed column(const Expression& node);
  Typed excluded(const Expression& node);
  Typed logical(const Expression& node);
  Typed case_when(const Expression& node);
  Typed coalesce(const Expression& node);
  Typed is_null(const Expression& node);
  bool covers(const Expression& node) const;
  void require_grouped(const Expression& node) const;
  TypeId common_type(std::vector<Typed>& values, std::string_view what);

  // binder_operators.cpp
  Typed operation(const Expression& node);
  Typed unary(const Expression& node);
  Typed arithmetic(const Expression& node, Operation operation, Typed left, Typed right);
  Typed comparison(const Expression& node, std::string_view name, Operation operation, Typed left, Typed right);
  void match_comparison(std::string_view name, int position, Typed& left, Typed& right);
  Typed boolean_test(const Expression& node);
  Typed in_list(const Expression& node);
  // Emits the items as one array if they have a type in common, and that type; unknown, with nothing emitted, if they
  // have none.
  TypeId in_array(const std::vector<ExpressionPtr>& items, TypeId subject);
  Typed in_chain(const Expression& node);

  // binder_functions.cpp
  Typed function(const Expression& node);
  Typed aggregate(const Expression& node);
  void aggregate_arguments(const Expression& node, AggregateCall& call);
  Typed greatest_or_least(const Expression& node);
  Typed null_if(const Expression& node);
  std::vector<Typed> arguments(const Expression& node);

  // Appends an instruction that changes the stack's height by `change`; returns its index.
  int append(Operation operation, int change, TypeId type = TypeId::unknown, int operand = 0, int first = 0);
  int push_constant(Value value);
  int here() const { return static_cast<int>(node_->code.size()); }
  void land(const std::vector<int>& jumps);
  Typed result(TypeId type, const Expression& node) const { return {type, -1, &node}; }

  const AnalyzeOptions& options_;
  bool inside_aggregate_;
  bool covered_ = false;  // inside an expression that GROUP BY has
  int height_ = 0;
  std::shared_ptr<BoundNode> node_;
};

// Throws 42883 or 42725 with PostgreSQL's texts; `signature` is e.g. `integer + text` or `f(integer, unknown)`.
[[noreturn]] void throw_no_operator(const std::string& signature, bool binary, int position);
[[noreturn]] void throw_operator_not_unique(const std::string& signature, int position);
// Structural equality that ignores how columns are qualified: a query has one table.
bool same_in_query(const Expression& a, const Expression& b);

}  // namespace polarsim::engine::sql
