#include <algorithm>
#include <boost/container/small_vector.hpp>

#include "engine/query/expression_analysis.h"
#include "engine/query/expression_walk.h"
#include "engine/query/program_step.h"
#include "engine/types/error.h"
#include "engine/types/order.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::query {
namespace {

[[noreturn]] void refuse(const char* what) {
  throw SqlError(sqlstate::internal_error, std::string(what) + " cannot be run as part of an expression");
}

class Compiler {
 public:
  explicit Compiler(Program::Implementation& to) : to_(to) {}

  void compile(const ExpressionPtr& expression) {
    to_.result = operand_of(*expression);
    to_.result_is_temporary = to_.result.base == Base::slots && !is_constant(to_.result);
    emit({.run = steps::end});
  }

 private:
  using Slot = std::uint32_t;
  using StepIndex = std::size_t;

  // --- slots and steps ---

  Slot new_slot() {
    to_.slots.emplace_back();
    return static_cast<Slot>(to_.slots.size() - 1);
  }
  Slot new_slots(std::size_t count) {
    const auto first = static_cast<Slot>(to_.slots.size());
    to_.slots.resize(to_.slots.size() + count);
    return first;
  }
  Operand constant(const Value& value) {
    const Slot slot = new_slot();
    to_.slots[slot] = value;
    constants_.push_back(slot);
    return {Base::slots, slot};
  }
  // Slots get their constants in ascending order.
  bool is_constant(Operand operand) const {
    return operand.base == Base::slots && std::binary_search(constants_.begin(), constants_.end(), operand.index);
  }
  StepIndex emit(const Step& step) {
    to_.steps.push_back(step);
    return to_.steps.size() - 1;
  }
  StepIndex emit(Step step, std::unique_ptr<StepDetails> details) {
    step.details = details.get();
    to_.details.push_back(std::move(details));
    return emit(step);
  }
  void land(StepIndex jump) { to_.steps[jump].jump = static_cast<std::int32_t>(to_.steps.size() - jump); }
  void copy(Operand from, Slot target) { emit({.run = steps::copy, .left = from, .target = target}); }

  void use_inputs_of(const Program& inner) {
    const Program::Implementation& part = inner.implementation();
    to_.first_size = std::max(to_.first_size, part.first_size);
    to_.second_size = std::max(to_.second_size, part.second_size);
    to_.parameters_size = std::max(to_.parameters_size, part.parameters_size);
  }

  // --- where a value is, or is put ---

  // Where the expression's value is found once the steps emitted for it have run.
  Operand operand_of(const Expression& expression) {
    if (const auto* known = expression.as<Constant>()) return constant(known->value);
    if (const auto* column = expression.as<Column>()) return operand_of_column(*column);
    if (const auto* parameter = expression.as<Parameter>(); parameter && !parameter->of_plan) {
      if (parameter->index < 1) refuse("parameter $0");
      const auto index = static_cast<std::uint32_t>(parameter->index);
      to_.parameters_size = std::max(to_.parameters_size, index);
      return {Base::parameters, index - 1};
    }
    if (expression.as<CaseOperand>()) {
      if (case_operands_.empty()) refuse("the operand of a CASE outside it");
      return case_operands_.back();
    }
    if (const auto* conversion = expression.as<Convert>(); conversion && changes_nothing(*conversion, expression.type))
      return operand_of(*conversion->argument);
    const Slot slot = new_slot();
    compute(expression, slot);
    return {Base::slots, slot};
  }

  Operand operand_of_column(const Column& column) {
    if (column.levels_up != 0) refuse("a column of an outer query");
    if (column.column < 1) refuse("a whole row or a system column");
    if (column.entry != 0 && column.entry != 1) refuse("a column of a third row");
    const auto index = static_cast<std::uint32_t>(column.column);
    std::uint32_t& size = column.entry == 0 ? to_.first_size : to_.second_size;
    size = std::max(size, index);
    return {column.entry == 0 ? Base::first : Base::second, index - 1};
  }

  static bool changes_nothing(const Convert& conversion, Type target) {
    return conversion.conversion.kind == Conversion::Kind::relabel && !has_modifier(target);
  }

  // Into a slot that other branches may also write.
  void put(const Expression& expression, Slot slot) {
    const bool is_computed = expression.as<Constant>() == nullptr && expression.as<Column>() == nullptr;
    if (is_computed && expression.as<Parameter>() == nullptr && expression.as<CaseOperand>() == nullptr &&
        expression.as<Convert>() == nullptr) {
      compute(expression, slot);
    } else {
      copy(operand_of(expression), slot);
    }
  }

  // Arguments in consecutive slots; what has to be copied there when they are used is left in `loads`.
  Slot arguments(const std::vector<ExpressionPtr>& expressions, std::vector<CallDetails::Load>& loads) {
    const Slot first = new_slots(expressions.size());
    for (std::size_t i = 0; i < expressions.size(); ++i) {
      const Slot slot = first + static_cast<Slot>(i);
      if (const auto* known = expressions[i]->as<Constant>()) {
        to_.slots[slot] = known->value;
        continue;
      }
      const StepIndex before = to_.steps.size();
      const Operand operand = operand_of(*expressions[i]);
      // A value that was just computed can be computed where it is wanted.
      if (to_.steps.size() > before && operand.base == Base::slots && is_last_result(operand, before)) {
        retarget(before, operand.index, slot);
      } else {
        loads.push_back({operand, slot});
      }
    }
    return first;
  }
  // A slot written by nothing but the last step, which no step since `before` reads.
  bool is_last_result(Operand operand, StepIndex before) const {
    if (to_.steps.back().target != operand.index || is_constant(operand)) return false;
    // Steps with jumps write their target more than once; their results are copied.
    return std::none_of(to_.steps.begin() + static_cast<std::ptrdiff_t>(before), to_.steps.end(),
                        [](const Step& step) { return step.jump != 0; });
  }
  void retarget(StepIndex, Slot, Slot slot) { to_.steps.back().target = slot; }

  // Arguments that are all copied or computed before the step that uses them.
  Slot evaluated_arguments(const std::vector<ExpressionPtr>& expressions) {
    std::vector<CallDetails::Load> loads;
    const Slot first = arguments(expressions, loads);
    for (const CallDetails::Load& load : loads) copy(load.from, load.to);
    return first;
  }

  // --- nodes ---

  void compute(const Expression& expression, Slot target) {
    check_stack_depth();
    std::visit([&](const auto& node) { compute(node, expression, target); }, expression.node);
  }

  void compute(const Constant& node, const Expression&, Slot target) { copy(constant(node.value), target); }
  void compute(const Column& node, const Expression&, Slot target) { copy(operand_of_column(node), target); }
  void compute(const CaseOperand&, const Expression& expression, Slot target) { copy(operand_of(expression), target); }
  void compute(const Parameter& node, const Expression& expression, Slot target) {
    if (!node.of_plan) return copy(operand_of(expression), target);
    emit({.run = steps::plan_parameter,
          .left = {Base::slots, static_cast<std::uint32_t>(node.index)},
          .target = target});
  }

  void compute(const Call& node, const Expression& expression, Slot target) {
    const FunctionEntry& entry = *node.function;
    if (entry.kind == FunctionKind::set)
      throw SqlError(sqlstate::feature_not_supported, "set-valued function called in context that cannot accept a set")
          .at(expression.position);
    if (entry.scalar == nullptr) refuse("an aggregate or window function");
    auto details = std::make_unique<CallDetails>();
    details->function = entry.scalar;
    details->entry = &entry;
    details->result = expression.type;
    details->strict = entry.strict;
    details->variadic_array = node.variadic_array;
    call(std::move(details), node.arguments, target);
  }

  void compute(const OperatorCall& node, const Expression& expression, Slot target) {
    const OperatorEntry& entry = *node.function;
    if (node.arguments.size() == 2 && entry.strict) {
      if (fast_binary_step(entry.symbol, entry.left, entry.right) != nullptr) {
        const Operand left = operand_of(*node.arguments[0]);
        const Operand right = operand_of(*node.arguments[1]);
        return binary(entry, left, right, target);
      }
    }
    auto details = std::make_unique<CallDetails>();
    details->function = entry.function;
    details->result = expression.type;
    details->strict = entry.strict;
    call(std::move(details), node.arguments, target);
  }

  void call(std::unique_ptr<CallDetails> details, const std::vector<ExpressionPtr>& expressions, Slot target) {
    for (const ExpressionPtr& each : expressions) details->types.push_back(each->type);
    if (expressions.size() == 1) {
      const Operand argument = operand_of(*expressions[0]);
      emit({.run = steps::call_unary, .left = argument, .target = target}, std::move(details));
      return;
    }
    details->first = arguments(expressions, details->loads);
    emit({.run = steps::call, .target = target}, std::move(details));
  }

  // The operator on two values: always a single step.
  void binary(const OperatorEntry& entry, Operand left, Operand right, Slot target) {
    auto details = std::make_unique<CallDetails>();
    details->function = entry.function;
    details->result = entry.result;
    details->strict = entry.strict;
    details->types = {Type(entry.left), Type(entry.right)};
    const Step::Run fast = entry.strict ? fast_binary_step(entry.symbol, entry.left, entry.right) : nullptr;
    if (fast == nullptr) {
      details->first = new_slots(2);
      details->loads = {{left, details->first}, {right, details->first + 1}};
    }
    emit({.run = fast != nullptr ? fast : steps::call, .left = left, .right = right, .target = target},
         std::move(details));
  }

  void compute(const ArrayComparison& node, const Expression&, Slot target) {
    const Operand left = operand_of(*node.left);
    const auto* known = node.array->as<Constant>();
    const Operand right = operand_of(*node.array);
    Step step{.left = left, .right = right, .target = target};
    auto details = steps::array_comparison_details(node, known ? &known->value : nullptr, &step.run);
    emit(step, std::move(details));
  }

  void compute(const Logical& node, const Expression&, Slot target) {
    if (node.kind == Logical::Kind::negation) {
      emit({.run = steps::negation, .left = operand_of(*node.arguments[0]), .target = target});
      return;
    }
    const bool conjunction = node.kind == Logical::Kind::conjunction;
    boost::container::small_vector<StepIndex, 8> jumps;
    for (std::size_t i = 0; i < node.arguments.size(); ++i) {
      const Operand operand = operand_of(*node.arguments[i]);
      const Step::Run first = conjunction ? steps::conjunction_first : steps::disjunction_first;
      const Step::Run next = conjunction ? steps::conjunction_next : steps::disjunction_next;
      jumps.push_back(emit({.run = i == 0 ? first : next, .left = operand, .target = target}));
    }
    for (const StepIndex jump : jumps) land(jump);
  }

  void compute(const NullTest& node, const Expression&, Slot target) {
    const bool of_row = node.argument->type.id == TypeId::record;
    const Operand operand = operand_of(*node.argument);
    emit({.run = steps::null_test(node.negated, of_row), .left = operand, .target = target});
  }
  void compute(const BooleanTest& node, const Expression&, Slot target) {
    const Operand operand = operand_of(*node.argument);
    emit({.run = steps::boolean_test(node.kind), .left = operand, .target = target});
  }

  void compute(const DistinctTest& node, const Expression&, Slot target) {
    const Operand left = operand_of(*node.left);
    const Operand right = operand_of(*node.right);
    const StepIndex nulls = emit({.run = steps::distinct_nulls, .left = left, .right = right, .target = target});
    binary(*node.equality, left, right, target);
    land(nulls);
    if (!node.negated) emit({.run = steps::negation, .left = {Base::slots, target}, .target = target});
  }
  void compute(const NullIf& node, const Expression&, Slot target) {
    const Operand left = operand_of(*node.left);
    const Operand right = operand_of(*node.right);
    const Slot equal = new_slot();
    binary(*node.equality, left, right, equal);
    emit({.run = steps::null_if, .left = left, .right = {Base::slots, equal}, .target = target});
  }

  void compute(const Case& node, const Expression&, Slot target) {
    if (node.operand) case_operands_.push_back(operand_of(*node.operand));
    boost::container::small_vector<StepIndex, 8> jumps;
    for (const Case::Branch& branch : node.branches) {
      const Operand condition = operand_of(*branch.condition);
      const StepIndex miss = emit({.run = steps::jump_unless_true, .left = condition});
      // Only conditions see the operand; a result may stand inside another CASE and mean that one's.
      put_outside(branch.result, node.operand != nullptr, target);
      jumps.push_back(emit({.run = steps::jump}));
      land(miss);
    }
    put_outside(node.otherwise, node.operand != nullptr, target);
    for (const StepIndex jump : jumps) land(jump);
    if (node.operand) case_operands_.pop_back();
  }
  void put_outside(const ExpressionPtr& expression, bool has_operand, Slot target) {
    if (!has_operand) return put(*expression, target);
    const Operand operand = case_operands_.back();
    case_operands_.pop_back();
    put(*expression, target);
    case_operands_.push_back(operand);
  }

  void compute(const Coalesce& node, const Expression&, Slot target) {
    boost::container::small_vector<StepIndex, 8> jumps;
    for (const ExpressionPtr& argument : node.arguments) {
      const Operand operand = operand_of(*argument);
      jumps.push_back(emit({.run = steps::jump_unless_null, .left = operand, .target = target}));
    }
    for (const StepIndex jump : jumps) land(jump);
  }

  void compute(const MinMax& node, const Expression& expression, Slot target) {
    if (less_of(expression.type.id) == nullptr) {
      throw SqlError(sqlstate::undefined_function,
                     std::string("could not identify a comparison function for type ") + type_name(expression.type.id));
    }
    const Slot best = new_slot();
    copy(constant(Value()), best);
    for (const ExpressionPtr& argument : node.arguments) {
      auto details = std::make_unique<steps::MinMaxDetails>();
      details->compare = comparison_of(expression.type.id);
      details->greatest = node.greatest;
      const Operand operand = operand_of(*argument);
      emit({.run = steps::min_max, .left = operand, .target = best}, std::move(details));
    }
    copy({Base::slots, best}, target);
  }

  void compute(const Convert& node, const Expression& expression, Slot target) {
    const Type source = node.argument->type;
    if (changes_nothing(node, expression.type)) return copy(operand_of(*node.argument), target);
    if (node.conversion.kind == Conversion::Kind::function && !has_modifier(expression.type)) {
      auto call = std::make_unique<CallDetails>();
      call->function = node.conversion.cast->function;
      call->types = {source};
      call->result = Type(expression.type.id);
      const Operand argument = operand_of(*node.argument);
      emit({.run = steps::call_unary, .left = argument, .target = target}, std::move(call));
      return;
    }
    auto details = std::make_unique<steps::ConvertDetails>();
    details->conversion = node.conversion;
    details->source = source;
    details->target = expression.type;
    details->modify = has_modifier(expression.type);
    details->by_cast = node.form == CallForm::explicit_cast;
    const Operand argument = operand_of(*node.argument);
    emit({.run = steps::convert, .left = argument, .target = target}, std::move(details));
  }

  void compute(const RowConstructor& node, const Expression&, Slot target) {
    auto details = std::make_unique<steps::RowDetails>();
    for (std::size_t i = 0; i < node.fields.size(); ++i) {
      details->fields.push_back(operand_of(*node.fields[i]));
      details->types.push_back(node.fields[i]->type);
      details->names.push_back(i < node.names.size() ? node.names[i] : "f" + std::to_string(i + 1));
    }
    emit({.run = steps::row, .target = target}, std::move(details));
  }

  void compute(const RowComparison& node, const Expression&, Slot target) {
    boost::container::small_vector<StepIndex, 8> jumps;
    for (std::size_t i = 0; i < node.comparisons.size(); ++i) {
      const OperatorEntry& entry = *node.comparisons[i];
      const Operand left = operand_of(*node.left[i]);
      const Operand right = operand_of(*node.right[i]);
      if (i + 1 < node.comparisons.size()) {
        const OperatorEntry* equality = find_operator("=", entry.left, entry.right);
        if (equality == nullptr) refuse("a comparison of rows without equality");
        const Slot equal = new_slot();
        binary(*equality, left, right, equal);
        jumps.push_back(emit({.run = steps::row_columns_equal, .left = {Base::slots, equal}, .target = target}));
      }
      binary(entry, left, right, target);
      if (i + 1 < node.comparisons.size()) jumps.push_back(emit({.run = steps::jump}));
    }
    for (const StepIndex jump : jumps) land(jump);
  }

  void compute(const ArrayConstructor& node, const Expression& expression, Slot target) {
    auto details = std::make_unique<steps::ArrayDetails>();
    for (const ExpressionPtr& element : node.elements) details->elements.push_back(operand_of(*element));
    details->element = type_info(expression.type.id).element;
    details->nested = node.nested;
    emit({.run = steps::array, .target = target}, std::move(details));
  }

  std::unique_ptr<steps::SubscriptDetails> subscripts(const std::vector<Subscript::Index>& indexes, Type container) {
    auto details = std::make_unique<steps::SubscriptDetails>();
    details->json = container.id == TypeId::jsonb;
    details->element = type_info(container.id).element;
    for (const Subscript::Index& each : indexes) details->slice |= each.slice;
    for (const Subscript::Index& each : indexes) {
      steps::SubscriptDetails::Index index;
      const ExpressionPtr& upper = each.upper || each.slice ? each.upper : each.lower;
      if (each.slice && each.lower) index.lower = operand_of(*each.lower);
      // Among slices, [n] means [1:n].
      if (details->slice && !each.slice) index.lower = constant(Value::integer(1));
      index.has_lower = details->slice && (each.lower || !each.slice);
      index.has_upper = upper != nullptr;
      if (upper) index.upper = operand_of(*upper);
      details->types.push_back(upper ? upper->type : Type());
      details->indexes.push_back(index);
    }
    return details;
  }
  void compute(const Subscript& node, const Expression&, Slot target) {
    const Operand container = operand_of(*node.container);
    auto details = subscripts(node.indexes, node.container->type);
    emit({.run = steps::subscript, .left = container, .target = target}, std::move(details));
  }
  void compute(const SubscriptAssignment& node, const Expression&, Slot target) {
    const Operand container = operand_of(*node.container);
    auto details = subscripts(node.indexes, node.container->type);
    const Operand value = operand_of(*node.value);
    emit({.run = steps::subscript_assign, .left = container, .right = value, .target = target}, std::move(details));
  }

  void compute(const FieldSelection& node, const Expression&, Slot target) {
    auto details = std::make_unique<steps::FieldDetails>();
    if (node.field < 1) refuse("a selection of no field");
    details->field = static_cast<std::size_t>(node.field - 1);
    const Operand record = operand_of(*node.record);
    emit({.run = steps::field, .left = record, .target = target}, std::move(details));
  }

  void compute(const Subplan& node, const Expression&, Slot target) {
    auto details = std::make_unique<steps::SubplanDetails>();
    details->subplan = node;
    std::vector<ExpressionPtr> values;
    for (const Subplan::Argument& argument : node.arguments) values.push_back(argument.value);
    details->arguments = evaluated_arguments(values);
    details->left = new_slots(node.left.size());
    details->when_asked.resize(node.left.size());
    for (std::size_t i = 0; i < node.left.size(); ++i) {
      const Expression& left = *node.left[i];
      // A value of the plan may be a query's that has not been asked yet.
      const auto* parameter = left.as<Parameter>();
      const bool is_there = left.as<Constant>() || left.as<Column>() || (parameter != nullptr && !parameter->of_plan);
      // The operand of a CASE is known in this program alone.
      if (is_there || !case_operands_.empty()) {
        put(left, details->left + static_cast<Slot>(i));
      } else {
        details->when_asked[i] = std::make_unique<Program>(Program::compile(node.left[i]));
        use_inputs_of(*details->when_asked[i]);
        if (contains_volatility(node.left[i], Volatility::volatile_function))
          details->volatile_columns.push_back(static_cast<std::uint32_t>(i));
      }
    }
    emit({.run = steps::subplan, .target = target}, std::move(details));
  }

  void compute(const ValueFunction& node, const Expression& expression, Slot target) {
    using enum ValueFunction::Kind;
    auto details = std::make_unique<steps::ValueFunctionDetails>();
    details->function = node;
    details->type = expression.type;
    const char* name = nullptr;
    if (node.kind == current_user || node.kind == current_role || node.kind == user) name = "current_user";
    if (node.kind == session_user) name = "session_user";
    if (node.kind == current_catalog) name = "current_database";
    if (node.kind == current_schema) name = "current_schema";
    if (name != nullptr) details->entry = find_function(name, {});
    emit({.run = steps::value_function, .target = target}, std::move(details));
  }

  void compute(const Subquery&, const Expression&, Slot) { refuse("a subquery without a plan"); }
  void compute(const Aggregate&, const Expression&, Slot) { refuse("an aggregate"); }
  void compute(const WindowCall&, const Expression&, Slot) { refuse("a call of a window function"); }
  void compute(const GroupingCall&, const Expression&, Slot) { refuse("GROUPING"); }
  void compute(const DefaultValue&, const Expression&, Slot) { refuse("DEFAULT"); }

  Program::Implementation& to_;
  std::vector<Slot> constants_;
  std::vector<Operand> case_operands_;  // of the CASEs around, innermost last
};

[[noreturn]] void throw_too_few_inputs() {
  throw SqlError(sqlstate::internal_error, "a program was run over a row that is too short, or without its parameters");
}

}  // namespace

Program::Program() = default;
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

Program Program::compile(const ExpressionPtr& expression) {
  Program program;
  program.implementation_ = std::make_unique<Implementation>();
  Compiler(*program.implementation_).compile(expression);
  return program;
}

const Value& Program::evaluate(const ProgramInputs& inputs, const CallContext& context) {
  Implementation& program = *implementation_;
  if (inputs.first.size() < program.first_size || inputs.second.size() < program.second_size ||
      inputs.parameters.size() < program.parameters_size) [[unlikely]]
    throw_too_few_inputs();
  Frame frame{{inputs.first.data(), inputs.second.data(), program.slots.data(), inputs.parameters.data()},
              program.slots.data(),
              inputs,
              context};
  const Step* step = program.steps.data();
  do {
    step = step->run(*step, frame);
  } while (step != nullptr);
  return frame[program.result];
}

Value Program::run(const ProgramInputs& inputs, const CallContext& context) {
  const Value& result = evaluate(inputs, context);
  if (!implementation_->result_is_temporary) return result;
  return std::move(implementation_->slots[implementation_->result.index]);
}

bool Program::holds(const ProgramInputs& inputs, const CallContext& context) {
  const Value& result = evaluate(inputs, context);
  return !result.is_null() && result.as_boolean();
}

}  // namespace polarsim::engine::query
