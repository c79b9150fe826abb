#include "engine/query/fold.h"

#include <algorithm>

#include "engine/query/expression_walk.h"
#include "engine/query/program.h"
#include "engine/types/error.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::query {
namespace {

using Expressions = std::vector<ExpressionPtr>;

ExpressionPtr constant_like(const Expression& expression, Value value) {
  return make_expression(Constant{std::move(value)}, expression.type, expression.position);
}
ExpressionPtr truth(bool value) { return make_expression(Constant{Value::boolean(value)}, TypeId::boolean); }

const Value* constant_of(const ExpressionPtr& expression) {
  const auto* constant = expression->as<Constant>();
  return constant != nullptr ? &constant->value : nullptr;
}
bool is_null_constant(const ExpressionPtr& expression) {
  const Value* value = constant_of(expression);
  return value != nullptr && value->is_null();
}
bool all_constant(const Expressions& expressions) {
  return std::all_of(expressions.begin(), expressions.end(),
                     [](const ExpressionPtr& each) { return constant_of(each) != nullptr; });
}
bool any_null(const Expressions& expressions) {
  return std::any_of(expressions.begin(), expressions.end(), is_null_constant);
}

ExpressionPtr make_logical(Logical::Kind kind, Expressions arguments) {
  return make_expression(Logical{kind, std::move(arguments)}, TypeId::boolean);
}

// The opposite of a condition, written without NOT where that is possible (PostgreSQL's negate_clause, prepqual.c).
ExpressionPtr negate(const ExpressionPtr& condition);

ExpressionPtr negate_logical(const Logical& logical) {
  using enum Logical::Kind;
  if (logical.kind == negation) return logical.arguments[0];
  Expressions negated;
  for (const ExpressionPtr& each : logical.arguments) negated.push_back(negate(each));
  return make_logical(logical.kind == conjunction ? disjunction : conjunction, std::move(negated));
}

BooleanTest::Kind opposite(BooleanTest::Kind kind) {
  using enum BooleanTest::Kind;
  switch (kind) {
    case is_true:
      return is_not_true;
    case is_not_true:
      return is_true;
    case is_false:
      return is_not_false;
    case is_not_false:
      return is_false;
    case is_unknown:
      return is_not_unknown;
    case is_not_unknown:
      return is_unknown;
  }
  return kind;
}

const OperatorEntry* negator_of(const OperatorEntry& entry) {
  return entry.negator != nullptr ? find_operator(entry.negator, entry.left, entry.right) : nullptr;
}

ExpressionPtr negate(const ExpressionPtr& condition) {
  if (const Value* value = constant_of(condition))
    return value->is_null() ? condition : constant_like(*condition, Value::boolean(!value->as_boolean()));
  if (const auto* call = condition->as<OperatorCall>()) {
    if (const OperatorEntry* negator = negator_of(*call->function))
      return make_expression(OperatorCall{negator, call->arguments}, TypeId::boolean, condition->position);
  }
  if (const auto* comparison = condition->as<ArrayComparison>()) {
    if (const OperatorEntry* negator = negator_of(*comparison->function)) {
      return make_expression(ArrayComparison{negator, !comparison->all, comparison->left, comparison->array},
                             TypeId::boolean, condition->position);
    }
  }
  if (const auto* logical = condition->as<Logical>()) return negate_logical(*logical);
  if (const auto* test = condition->as<NullTest>(); test && test->argument->type.id != TypeId::record)
    return make_expression(NullTest{test->argument, !test->negated}, TypeId::boolean, condition->position);
  if (const auto* test = condition->as<BooleanTest>())
    return make_expression(BooleanTest{opposite(test->kind), test->argument}, TypeId::boolean, condition->position);
  return make_logical(Logical::Kind::negation, {condition});
}

// How far out the query is that an aggregate would belong to by what is left in it (check_agg_arguments(),
// parse_agg.c).
int level_by_arguments(const Aggregate& aggregate) {
  int nearest = -1;
  const auto look = [&](const ExpressionPtr& argument) {
    if (argument == nullptr) return;
    walk(argument, [&](const Expression& part, int depth) {
      const auto* column = part.as<Column>();
      const auto* inner = part.as<Aggregate>();
      if (column == nullptr && inner == nullptr) return true;
      const int level = (column != nullptr ? column->levels_up : inner->levels_up) - depth;
      if (level >= 0 && (nearest < 0 || level < nearest)) nearest = level;
      return true;
    });
  };
  if (aggregate.function->aggregate_kind == AggregateKind::normal) {
    for (const ExpressionPtr& argument : aggregate.arguments) look(argument);
  }
  for (const OrderKey& key : aggregate.order_by) look(key.expression);
  look(aggregate.filter);
  return std::max(nearest, 0);
}

class Folder {
 public:
  explicit Folder(const FoldOptions& options) : options_(options) {}

  ExpressionPtr fold(const ExpressionPtr& expression) {
    check_stack_depth();
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      if (equal(groups_[i], expression)) return stand_in(i, *expression);
    }
    if (const auto* parameter = expression->as<Parameter>()) return fold_parameter(expression, *parameter);
    if (const auto* logical = expression->as<Logical>()) return fold_logical(expression, *logical);
    if (const auto* choice = expression->as<Case>()) return fold_case(expression, *choice);
    if (const auto* coalesce = expression->as<Coalesce>()) return fold_coalesce(expression, *coalesce);
    if (expression->as<CaseOperand>()) return case_value_ ? case_value_ : expression;
    const std::size_t failures_before = failures_;
    const ExpressionPtr folded = map_children(
        expression, [this](const ExpressionPtr& child) { return fold(child); },
        [this](const QueryPtr& query) { return options_.inner_queries ? fold(query) : query; });
    // NULL = 1 / 0 is an error, and not NULL, for whoever is to tell it.
    if (failures_ != failures_before) return folded;
    // One that lost the columns that it belongs to its query by would be another query's once it is read as text.
    if (const auto* aggregate = folded->as<Aggregate>();
        aggregate != nullptr && folded != expression && level_by_arguments(*aggregate) != aggregate->levels_up) {
      return expression;
    }
    // What fails in it is still to be told, though the whole may be NULL without it.
    if (failures_ != failures_before) return folded;
    return std::visit([&](const auto& node) { return simplified(folded, node); }, folded->node);
  }

  QueryPtr fold(const QueryPtr& query) {
    // A query inside an expression sees no operand of a CASE around it, and no groups.
    const ExpressionPtr outer = std::exchange(case_value_, nullptr);
    Expressions outer_groups = std::exchange(groups_, {});
    Expressions groups = options_.groups_stay ? computed_groups(*query) : Expressions();
    Expressions folded_groups;
    for (const ExpressionPtr& group : groups) folded_groups.push_back(fold(group));
    groups_ = std::move(groups);
    QueryPtr folded = map_query(
        query, [&](const ExpressionPtr& each) { return with_groups(fold(each), folded_groups); },
        [this](const QueryPtr& inner) { return options_.inner_queries ? fold(inner) : inner; });
    groups_ = std::move(outer_groups);
    case_value_ = outer;
    return folded;
  }

 private:
  // --- groups, in whose place something stands that nobody looks into ---

  static Expressions computed_groups(const Query& query) {
    Expressions groups;
    for (const int target : query.group_by) {
      const ExpressionPtr& group = query.targets[static_cast<std::size_t>(target)].expression;
      if (!group->as<Column>() && !group->as<Constant>()) groups.push_back(group);
    }
    return groups;
  }
  static ExpressionPtr stand_in(std::size_t group, const Expression& expression) {
    return make_expression(Parameter{-1 - static_cast<int>(group), true}, expression.type, expression.position);
  }
  static ExpressionPtr with_groups(const ExpressionPtr& expression, const Expressions& groups) {
    if (groups.empty()) return expression;
    return rewrite(expression, [&](const ExpressionPtr& part, int) -> ExpressionPtr {
      const auto* parameter = part->as<Parameter>();
      if (parameter == nullptr || !parameter->of_plan || parameter->index >= 0) return nullptr;
      return groups[static_cast<std::size_t>(-1 - parameter->index)];
    });
  }

  bool may_evaluate(Volatility volatility) const {
    return volatility == Volatility::immutable || (volatility == Volatility::stable && options_.stable_functions);
  }
  ExpressionPtr evaluated(const ExpressionPtr& expression) {
    try {
      return constant_like(*expression, Program::compile(expression).run({}, options_.call));
    } catch (const SqlError&) {
      if (!options_.failures_stay) throw;
      ++failures_;
      return expression;
    }
  }

  ExpressionPtr fold_parameter(const ExpressionPtr& expression, const Parameter& parameter) const {
    if (parameter.of_plan || options_.parameters.empty()) return expression;
    const auto index = static_cast<std::size_t>(parameter.index - 1);
    if (index >= options_.parameters.size())
      throw SqlError(sqlstate::undefined_parameter, "there is no parameter $" + std::to_string(parameter.index));
    return constant_like(*expression, options_.parameters[index]);
  }

  // --- AND, OR, NOT ---

  ExpressionPtr fold_logical(const ExpressionPtr& expression, const Logical& node) {
    if (node.kind == Logical::Kind::negation) {
      const ExpressionPtr argument = fold(node.arguments[0]);
      const ExpressionPtr negated = negate(argument);
      const auto* still = negated->as<Logical>();
      const bool same = argument == node.arguments[0] && still && still->kind == Logical::Kind::negation;
      return same ? expression : negated;
    }
    Expressions kept;
    ExpressionPtr null;
    const bool decided = !gather(node, kept, null, failures_);
    const bool conjunction = node.kind == Logical::Kind::conjunction;
    if (decided) return constant_like(*expression, Value::boolean(!conjunction));
    if (null) kept.push_back(null);
    if (kept.empty()) return constant_like(*expression, Value::boolean(conjunction));
    if (kept.size() == 1) return kept[0];
    if (kept == node.arguments) return expression;
    return make_expression(Logical{node.kind, std::move(kept)}, TypeId::boolean, expression->position);
  }

  // What is left of the arguments, those of the same kind below among them. False: one decides, and what follows it
  // does not matter, not even its errors. Where some of what came before it fails, that is still to be told.
  bool gather(const Logical& node, Expressions& kept, ExpressionPtr& null, std::size_t failures_before) {
    for (const ExpressionPtr& argument : node.arguments) {
      if (const auto* inner = argument->as<Logical>(); inner && inner->kind == node.kind) {
        if (!gather(*inner, kept, null, failures_before)) return false;
        continue;
      }
      const ExpressionPtr folded = fold(argument);
      if (const Value* value = constant_of(folded)) {
        if (value->is_null()) {
          null = folded;
        } else if (value->as_boolean() != (node.kind == Logical::Kind::conjunction)) {
          if (failures_ == failures_before) return false;
          kept.push_back(folded);
        }
      } else if (const auto* made = folded->as<Logical>(); made && made->kind == node.kind) {
        // Folding has made one of the same kind: its arguments are folded already.
        for (const ExpressionPtr& each : made->arguments) {
          if (is_null_constant(each)) {
            null = each;
          } else {
            kept.push_back(each);
          }
        }
      } else {
        kept.push_back(folded);
      }
    }
    return true;
  }

  // --- CASE, COALESCE ---

  ExpressionPtr fold_case(const ExpressionPtr& expression, const Case& node) {
    ExpressionPtr operand = node.operand ? fold(node.operand) : nullptr;
    // A constant is put into the conditions, which then stand for themselves.
    const ExpressionPtr known = operand && constant_of(operand) ? std::exchange(operand, nullptr) : nullptr;
    const ExpressionPtr outer = std::exchange(case_value_, known);
    std::vector<Case::Branch> branches;
    ExpressionPtr otherwise;
    for (const Case::Branch& branch : node.branches) {
      const ExpressionPtr condition = fold(branch.condition);
      if (const Value* value = constant_of(condition)) {
        if (value->is_null() || !value->as_boolean()) continue;
        otherwise = fold(branch.result);
        break;
      }
      branches.push_back({condition, fold(branch.result)});
    }
    if (!otherwise) otherwise = fold(node.otherwise);
    case_value_ = outer;
    if (branches.empty()) return otherwise;
    ExpressionPtr made =
        make_expression(Case{operand, std::move(branches), otherwise}, expression->type, expression->position);
    return equal_parts(*made->as<Case>(), node) ? expression : made;
  }
  static bool equal_parts(const Case& a, const Case& b) {
    return a.operand == b.operand && a.otherwise == b.otherwise &&
           std::equal(a.branches.begin(), a.branches.end(), b.branches.begin(), b.branches.end(),
                      [](const Case::Branch& one, const Case::Branch& other) {
                        return one.condition == other.condition && one.result == other.result;
                      });
  }

  ExpressionPtr fold_coalesce(const ExpressionPtr& expression, const Coalesce& node) {
    Expressions kept;
    for (const ExpressionPtr& argument : node.arguments) {
      const ExpressionPtr folded = fold(argument);
      const Value* value = constant_of(folded);
      if (value != nullptr && value->is_null()) continue;
      if (value != nullptr && kept.empty()) return folded;
      kept.push_back(folded);
      if (value != nullptr) break;
    }
    if (kept.empty()) return constant_like(*expression, Value());
    if (kept == node.arguments) return expression;
    return make_expression(Coalesce{std::move(kept)}, expression->type, expression->position);
  }

  // --- what is simplified once its operands are ---

  template <typename Node>
  ExpressionPtr simplified(const ExpressionPtr& expression, const Node&) {
    return expression;
  }

  ExpressionPtr simplified_call(const ExpressionPtr& expression, const Expressions& arguments, bool strict,
                                Volatility volatility) {
    if (strict && any_null(arguments)) return constant_like(*expression, Value());
    return all_constant(arguments) && may_evaluate(volatility) ? evaluated(expression) : expression;
  }
  // quote_literal and quote_nullable of any value are written in SQL, too: those of its text.
  ExpressionPtr inlined_quote(const ExpressionPtr& expression, const Call& node) {
    const std::string_view name = node.function->name;
    const bool of_any = node.arguments.size() == 1 && node.function->arguments[0] == TypeId::any_element;
    if (!of_any || (name != "quote_literal" && name != "quote_nullable")) return nullptr;
    const ExpressionPtr& value = node.arguments[0];
    const Conversion conversion = find_conversion(value->type.id, TypeId::text, CastContext::explicit_only);
    constexpr TypeId argument = TypeId::text;
    const FunctionEntry* const of_text = find_function(node.function->name, {&argument, 1});
    if (!conversion.possible() || of_text == nullptr) return nullptr;
    ExpressionPtr text =
        make_expression(Convert{conversion, value, CallForm::explicit_cast}, TypeId::text, value->position);
    text = simplified(text, *text->as<Convert>());
    const ExpressionPtr made =
        make_expression(Call{of_text, {std::move(text)}, node.form, false}, TypeId::text, expression->position);
    return simplified_call(made, made->as<Call>()->arguments, of_text->strict, of_text->volatility);
  }
  ExpressionPtr simplified(const ExpressionPtr& expression, const Call& node) {
    if (ExpressionPtr made = inlined_quote(expression, node)) return made;
    if (node.function->kind != FunctionKind::scalar || expression->type.id == TypeId::record) return expression;
    return simplified_call(expression, node.arguments, node.function->strict, node.function->volatility);
  }
  // A text and a value of any type: PostgreSQL's functions for it are written in SQL, and their bodies are put in place
  // of the call (inline_function()). So it depends on the type how far it can be computed beforehand.
  ExpressionPtr inlined_concatenation(const OperatorCall& node, int position) {
    Expressions texts = node.arguments;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if ((i == 0 ? node.function->left : node.function->right) == TypeId::text) continue;
      const Conversion conversion = find_conversion(texts[i]->type.id, TypeId::text, CastContext::explicit_only);
      if (!conversion.possible()) return nullptr;
      const ExpressionPtr text =
          make_expression(Convert{conversion, texts[i], CallForm::explicit_cast}, TypeId::text, texts[i]->position);
      texts[i] = simplified(text, *text->as<Convert>());
    }
    const OperatorEntry* const of_texts = find_operator("||", TypeId::text, TypeId::text);
    const ExpressionPtr made = make_expression(OperatorCall{of_texts, std::move(texts)}, TypeId::text, position);
    return simplified(made, *made->as<OperatorCall>());
  }
  static bool takes_any_value(const OperatorEntry& function) {
    return function.left == TypeId::any_nonarray || function.right == TypeId::any_nonarray;
  }
  ExpressionPtr simplified(const ExpressionPtr& expression, const OperatorCall& node) {
    if (takes_any_value(*node.function)) {
      if (const ExpressionPtr made = inlined_concatenation(node, expression->position)) return made;
    }
    const ExpressionPtr made =
        simplified_call(expression, node.arguments, node.function->strict, node.function->volatility);
    return made == expression ? simplified_equality(expression, node) : made;
  }
  // x = true is x, x = false is NOT x.
  static ExpressionPtr simplified_equality(const ExpressionPtr& expression, const OperatorCall& node) {
    if (node.function->left != TypeId::boolean || node.function->right != TypeId::boolean) return expression;
    const std::string_view symbol = node.function->symbol;
    if (symbol != "=" && symbol != "<>") return expression;
    for (std::size_t i = 0; i < 2; ++i) {
      const Value* value = constant_of(node.arguments[i]);
      if (value == nullptr) continue;
      const ExpressionPtr& other = node.arguments[1 - i];
      // A condition of CASE x WHEN ... stays what it is written as.
      if (other->as<CaseOperand>()) return expression;
      return value->as_boolean() == (symbol == "=") ? other : negate(other);
    }
    return expression;
  }
  ExpressionPtr simplified(const ExpressionPtr& expression, const ArrayComparison& node) {
    const bool known = constant_of(node.left) && constant_of(node.array);
    return known && may_evaluate(node.function->volatility) ? evaluated(expression) : expression;
  }
  ExpressionPtr simplified(const ExpressionPtr& expression, const DistinctTest& node) {
    const bool known = constant_of(node.left) && constant_of(node.right);
    return known && may_evaluate(node.equality->volatility) ? evaluated(expression) : expression;
  }
  ExpressionPtr simplified(const ExpressionPtr& expression, const NullIf& node) {
    // What is NULL equals nothing.
    if (is_null_constant(node.left) || is_null_constant(node.right)) return node.left;
    const bool known = constant_of(node.left) && constant_of(node.right);
    return known && may_evaluate(node.equality->volatility) ? evaluated(expression) : expression;
  }
  ExpressionPtr simplified(const ExpressionPtr& expression, const BooleanTest& node) {
    return constant_of(node.argument) ? evaluated(expression) : expression;
  }
  ExpressionPtr simplified(const ExpressionPtr& expression, const NullTest& node) {
    if (const auto* row = node.argument->as<RowConstructor>()) return simplified_row_test(node, *row);
    const bool of_row = node.argument->type.id == TypeId::record;
    return constant_of(node.argument) && !of_row ? evaluated(expression) : expression;
  }
  // Each field is tested by itself.
  static ExpressionPtr simplified_row_test(const NullTest& node, const RowConstructor& row) {
    Expressions tests;
    for (const ExpressionPtr& field : row.fields) {
      if (const Value* value = constant_of(field)) {
        if (value->is_null() == node.negated) return truth(false);
      } else if (field->type.id == TypeId::record) {
        // A row inside a row counts as one value, which its own test would look into.
        return make_expression(node, TypeId::boolean);
      } else {
        tests.push_back(make_expression(NullTest{field, node.negated}, TypeId::boolean));
      }
    }
    if (tests.empty()) return truth(true);
    return tests.size() == 1 ? tests[0] : make_logical(Logical::Kind::conjunction, std::move(tests));
  }

  ExpressionPtr simplified(const ExpressionPtr& expression, const Convert& node) {
    if (is_null_constant(node.argument)) return constant_like(*expression, Value());
    return constant_of(node.argument) && may_evaluate(volatility_of(*expression)) ? evaluated(expression) : expression;
  }
  ExpressionPtr simplified(const ExpressionPtr& expression, const MinMax& node) {
    return all_constant(node.arguments) ? evaluated(expression) : expression;
  }
  ExpressionPtr simplified(const ExpressionPtr& expression, const ArrayConstructor& node) {
    return all_constant(node.elements) ? evaluated(expression) : expression;
  }
  ExpressionPtr simplified(const ExpressionPtr& expression, const RowConstructor& node) {
    return all_constant(node.fields) ? evaluated(expression) : expression;
  }
  static bool all_constant_indexes(const std::vector<Subscript::Index>& indexes) {
    return std::all_of(indexes.begin(), indexes.end(), [](const Subscript::Index& each) {
      return (!each.lower || constant_of(each.lower)) && (!each.upper || constant_of(each.upper));
    });
  }
  ExpressionPtr simplified(const ExpressionPtr& expression, const Subscript& node) {
    return constant_of(node.container) && all_constant_indexes(node.indexes) ? evaluated(expression) : expression;
  }
  ExpressionPtr simplified(const ExpressionPtr& expression, const SubscriptAssignment& node) {
    const bool known = constant_of(node.container) && constant_of(node.value) && all_constant_indexes(node.indexes);
    return known ? evaluated(expression) : expression;
  }
  ExpressionPtr simplified(const ExpressionPtr& expression, const FieldSelection& node) {
    if (constant_of(node.record)) return evaluated(expression);
    const auto* row = node.record->as<RowConstructor>();
    if (row == nullptr || static_cast<std::size_t>(node.field) > row->fields.size()) return expression;
    return row->fields[static_cast<std::size_t>(node.field - 1)];
  }
  ExpressionPtr simplified(const ExpressionPtr& expression, const ValueFunction&) {
    return options_.stable_functions ? evaluated(expression) : expression;
  }

  const FoldOptions& options_;
  std::size_t failures_ = 0;  // that stay
  ExpressionPtr case_value_;  // of the innermost CASE, if it is constant
  Expressions groups_;        // of the query, that stay
};

}  // namespace

ExpressionPtr fold(const ExpressionPtr& expression, const FoldOptions& options) {
  return expression ? Folder(options).fold(expression) : nullptr;
}

QueryPtr fold(const QueryPtr& query, const FoldOptions& options) { return Folder(options).fold(query); }

}  // namespace polarsim::engine::query
