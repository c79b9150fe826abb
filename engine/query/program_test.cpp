#include "engine/query/program.h"

#include <gtest/gtest.h>

#include "engine/query/expression_walk.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::query {
namespace {

using enum TypeId;

// A value of a type by its text; "NULL" is NULL.
ExpressionPtr literal(std::string_view written, Type type) {
  return make_expression(Constant{written == "NULL" ? Value() : input_value(written, type, {})}, type);
}
ExpressionPtr number(std::int64_t value) { return make_expression(Constant{Value::integer(value)}, int4); }
ExpressionPtr null_of(TypeId type) { return make_expression(Constant{Value()}, type); }
ExpressionPtr truth(std::string_view written) { return literal(written, boolean); }
ExpressionPtr column(int number, TypeId type = int4, int entry = 0) {
  return make_expression(Column{entry, number, 0}, type);
}
const OperatorEntry* operator_of(const char* symbol, const ExpressionPtr& left, const ExpressionPtr& right) {
  const OperatorEntry* entry = find_operator(symbol, left->type.id, right->type.id);
  EXPECT_NE(entry, nullptr) << symbol;
  return entry;
}
ExpressionPtr operation(const char* symbol, ExpressionPtr left, ExpressionPtr right) {
  const OperatorEntry* entry = operator_of(symbol, left, right);
  return make_expression(OperatorCall{entry, {std::move(left), std::move(right)}}, entry->result);
}
ExpressionPtr call(const char* name, std::vector<ExpressionPtr> arguments) {
  std::vector<TypeId> types;
  for (const ExpressionPtr& each : arguments) types.push_back(each->type.id);
  const FunctionEntry* entry = find_function(name, types);
  EXPECT_NE(entry, nullptr) << name;
  return make_expression(Call{entry, std::move(arguments)}, entry->result);
}
ExpressionPtr logical(Logical::Kind kind, std::vector<ExpressionPtr> arguments) {
  return make_expression(Logical{kind, std::move(arguments)}, boolean);
}
ExpressionPtr cast(ExpressionPtr argument, Type target, CallForm form = CallForm::explicit_cast) {
  const Conversion conversion = find_conversion(argument->type.id, target.id, CastContext::explicit_only);
  return make_expression(Convert{conversion, std::move(argument), form}, target);
}
// The text of the value, or "NULL", or the error's state and message.
std::string run(const ExpressionPtr& expression, const Row& first = {}, const Row& second = {}) {
  try {
    const CallContext context;
    Program program = Program::compile(expression);
    const Value once = program.run({first, second, {}, nullptr}, context);
    const Value again = program.run({first, second, {}, nullptr}, context);
    EXPECT_EQ(once, again) << "a program must not remember a run";
    return once.is_null() ? "NULL" : output_value(once, expression->type.id, context);
  } catch (const SqlError& error) {
    return error.sqlstate() + " " + error.fields().message;
  }
}

Row integers(std::initializer_list<std::int64_t> values) {
  Row row;
  for (const std::int64_t value : values) row.push_back(Value::integer(value));
  return row;
}

TEST(Program, ColumnsOfBothRowsConstantsAndParameters) {
  EXPECT_EQ(run(number(5)), "5");
  EXPECT_EQ(run(column(2), integers({1, 2})), "2");
  EXPECT_EQ(run(operation("+", column(1), column(1, int4, 1)), integers({1}), integers({10})), "11");
  Program program = Program::compile(make_expression(Parameter{2, false}, int4));
  const Row parameters = integers({7, 8});
  EXPECT_EQ(program.run({{}, {}, parameters, nullptr}, {}), Value::integer(8));
  EXPECT_EQ(program.run({{}, {}, parameters, nullptr}, {}), Value::integer(8));
  EXPECT_EQ(run(column(3), integers({1, 2})).substr(0, 5), "XX000");
}

TEST(Program, IntegerArithmeticKeepsItsErrors) {
  EXPECT_EQ(run(operation("+", number(2147483647), number(1))), "22003 integer out of range");
  EXPECT_EQ(run(operation("*", number(65536), number(65536))), "22003 integer out of range");
  EXPECT_EQ(run(operation("/", number(7), number(0))), "22012 division by zero");
  EXPECT_EQ(run(operation("%", number(7), number(0))), "22012 division by zero");
  EXPECT_EQ(run(operation("/", number(-2147483648), number(-1))), "22003 integer out of range");
  EXPECT_EQ(run(operation("%", number(-2147483648), number(-1))), "0");
  EXPECT_EQ(run(operation("/", number(-7), number(2))), "-3");
  EXPECT_EQ(run(operation("-", number(5), null_of(int4))), "NULL");
  EXPECT_EQ(run(operation("+", literal("9223372036854775807", int8), number(1))), "22003 bigint out of range");
  EXPECT_EQ(run(operation("+", number(2147483647), literal("1", int8))), "2147483648");
}

TEST(Program, FloatsKnowNanAndOverflow) {
  const auto real = [](std::string_view text) { return literal(text, float8); };
  EXPECT_EQ(run(operation("=", real("NaN"), real("NaN"))), "t");
  EXPECT_EQ(run(operation(">", real("NaN"), real("Infinity"))), "t");
  EXPECT_EQ(run(operation("<", real("NaN"), real("1"))), "f");
  EXPECT_EQ(run(operation("<=", real("1"), real("NaN"))), "t");
  EXPECT_EQ(run(operation("*", real("1e300"), real("1e300"))), "22003 value out of range: overflow");
  EXPECT_EQ(run(operation("*", real("1e-300"), real("1e-300"))), "22003 value out of range: underflow");
  EXPECT_EQ(run(operation("/", real("1"), real("0"))), "22012 division by zero");
  EXPECT_EQ(run(operation("-", real("1.5"), real("1.5"))), "0");
  EXPECT_EQ(run(operation("+", real("Infinity"), real("1"))), "Infinity");
}

TEST(Program, FastComparisonsSayWhatTheOperatorsSay) {
  const std::vector<std::pair<TypeId, std::vector<const char*>>> samples = {
      {int4, {"1", "2", "-3", "NULL"}},
      {int8, {"1", "5000000000", "NULL"}},
      {text, {"a", "", "a longer text than fits inside", "b", "NULL"}},
      {float8, {"1", "NaN", "-0", "0", "-Infinity", "NULL"}},
      {timestamp, {"2024-01-01", "infinity", "-infinity", "NULL"}},
      {date, {"2024-01-01", "infinity", "NULL"}}};
  for (const auto& [type, texts] : samples) {
    for (const char* symbol : {"<", "<=", "=", "<>", ">=", ">"}) {
      for (const char* a : texts) {
        for (const char* b : texts) {
          const ExpressionPtr left = literal(a, type);
          const ExpressionPtr right = literal(b, type);
          const OperatorEntry* entry = operator_of(symbol, left, right);
          const Row arguments{left->as<Constant>()->value, right->as<Constant>()->value};
          const bool null = arguments[0].is_null() || arguments[1].is_null();
          const CallContext context;
          const Value expected = null ? Value() : entry->function({arguments, {}, boolean, context});
          Program program = Program::compile(operation(symbol, column(1, type), right));
          EXPECT_EQ(program.run({arguments, {}, {}, nullptr}, {}), expected) << a << symbol << b;
        }
      }
    }
  }
}

TEST(Program, CallsAreStrictWhereTheyShouldBe) {
  EXPECT_EQ(run(call("upper", {literal("abc", text)})), "ABC");
  EXPECT_EQ(run(call("upper", {null_of(text)})), "NULL");
  EXPECT_EQ(run(call("substr", {column(1, text), number(2), column(2)}), {Value::text("abcdef"), Value::integer(3)}),
            "bcd");
  EXPECT_EQ(run(call("substr", {column(1, text), number(2), column(2)}), {Value::text("abcdef"), Value()}), "NULL");
  // Arguments that are computed themselves.
  const ExpressionPtr inner = operation("+", column(1), number(1));
  EXPECT_EQ(run(call("mod", {operation("*", inner, inner), operation("+", inner, number(3))}), integers({4})), "1");
}

TEST(Program, LogicOfThreeValues) {
  const auto both = [](const char* a, const char* b) {
    return run(logical(Logical::Kind::conjunction, {truth(a), truth(b)})) +
           run(logical(Logical::Kind::disjunction, {truth(a), truth(b)}));
  };
  EXPECT_EQ(both("t", "t"), "tt");
  EXPECT_EQ(both("t", "f"), "ft");
  EXPECT_EQ(both("f", "f"), "ff");
  EXPECT_EQ(both("t", "NULL"), "NULLt");
  EXPECT_EQ(both("NULL", "t"), "NULLt");
  EXPECT_EQ(both("f", "NULL"), "fNULL");
  EXPECT_EQ(both("NULL", "f"), "fNULL");
  EXPECT_EQ(both("NULL", "NULL"), "NULLNULL");
  EXPECT_EQ(run(logical(Logical::Kind::negation, {truth("NULL")})), "NULL");
  EXPECT_EQ(run(logical(Logical::Kind::conjunction, {truth("NULL"), truth("t"), truth("t")})), "NULL");
  EXPECT_EQ(run(logical(Logical::Kind::disjunction, {truth("NULL"), truth("f"), truth("t")})), "t");
}

TEST(Program, LogicStopsWhereTheAnswerIsKnown) {
  const ExpressionPtr fails = operation("=", operation("/", number(1), number(0)), number(1));
  EXPECT_EQ(run(logical(Logical::Kind::conjunction, {truth("f"), fails})), "f");
  EXPECT_EQ(run(logical(Logical::Kind::disjunction, {truth("t"), fails})), "t");
  EXPECT_EQ(run(logical(Logical::Kind::conjunction, {truth("NULL"), fails})), "22012 division by zero");
  Program program = Program::compile(logical(Logical::Kind::conjunction, {truth("t"), truth("NULL")}));
  EXPECT_FALSE(program.holds({}, {}));
}

TEST(Program, Tests) {
  const auto row = [](std::vector<ExpressionPtr> fields) {
    return make_expression(RowConstructor{std::move(fields), {}}, record);
  };
  const auto null_test = [](ExpressionPtr argument, bool negated) {
    return run(make_expression(NullTest{std::move(argument), negated}, boolean));
  };
  EXPECT_EQ(null_test(null_of(int4), false), "t");
  EXPECT_EQ(null_test(number(1), true), "t");
  EXPECT_EQ(null_test(row({null_of(int4), null_of(int4)}), false), "t");
  EXPECT_EQ(null_test(row({null_of(int4), number(1)}), false), "f");
  EXPECT_EQ(null_test(row({null_of(int4), number(1)}), true), "f");
  EXPECT_EQ(null_test(row({number(1), number(1)}), true), "t");
  EXPECT_EQ(null_test(row({row({null_of(int4)})}), false), "f");
  const auto boolean_test = [](BooleanTest::Kind kind) {
    std::string all;
    for (const char* value : {"t", "f", "NULL"}) all += run(make_expression(BooleanTest{kind, truth(value)}, boolean));
    return all;
  };
  EXPECT_EQ(boolean_test(BooleanTest::Kind::is_true), "tff");
  EXPECT_EQ(boolean_test(BooleanTest::Kind::is_not_true), "ftt");
  EXPECT_EQ(boolean_test(BooleanTest::Kind::is_false), "ftf");
  EXPECT_EQ(boolean_test(BooleanTest::Kind::is_not_false), "tft");
  EXPECT_EQ(boolean_test(BooleanTest::Kind::is_unknown), "fft");
  EXPECT_EQ(boolean_test(BooleanTest::Kind::is_not_unknown), "ttf");
  const auto distinct = [](ExpressionPtr a, ExpressionPtr b, bool negated) {
    const OperatorEntry* equality = find_operator("=", int4, int4);
    return run(make_expression(DistinctTest{equality, std::move(a), std::move(b), negated}, boolean));
  };
  EXPECT_EQ(distinct(number(1), number(1), false), "f");
  EXPECT_EQ(distinct(number(1), number(2), false), "t");
  EXPECT_EQ(distinct(number(1), null_of(int4), false), "t");
  EXPECT_EQ(distinct(null_of(int4), null_of(int4), false), "f");
  EXPECT_EQ(distinct(null_of(int4), null_of(int4), true), "t");
  EXPECT_EQ(distinct(number(1), number(1), true), "t");
}

TEST(Program, CaseComputesItsOperandOnceAndStopsAtTheFirstBranch) {
  const auto equals_operand = [](ExpressionPtr value) {
    return operation("=", make_expression(CaseOperand{}, int4), std::move(value));
  };
  const ExpressionPtr fails = operation("/", number(1), number(0));
  const ExpressionPtr simple = make_expression(
      Case{operation("+", column(1), number(1)),
           {{equals_operand(number(2)), literal("two", text)}, {equals_operand(number(3)), literal("three", text)}},
           null_of(text)},
      text);
  EXPECT_EQ(run(simple, integers({1})), "two");
  EXPECT_EQ(run(simple, integers({2})), "three");
  EXPECT_EQ(run(simple, integers({3})), "NULL");
  EXPECT_EQ(run(simple, {Value()}), "NULL");
  const ExpressionPtr searched = make_expression(
      Case{nullptr, {{operation(">", column(1), number(5)), column(1)}, {truth("NULL"), fails}}, number(0)}, int4);
  EXPECT_EQ(run(searched, integers({7})), "7");
  EXPECT_EQ(run(searched, integers({3})), "0");
  // One inside the condition of another keeps the other's operand.
  const ExpressionPtr nested = make_expression(
      Case{column(1),
           {{operation("=", make_expression(CaseOperand{}, int4),
                       make_expression(Case{number(9), {{equals_operand(number(9)), number(4)}}, number(5)}, int4)),
             number(100)}},
           number(200)},
      int4);
  EXPECT_EQ(run(nested, integers({4})), "100");
  EXPECT_EQ(run(nested, integers({5})), "200");
}

TEST(Program, CoalesceNullIfAndExtremes) {
  const ExpressionPtr fails = operation("/", number(1), number(0));
  EXPECT_EQ(run(make_expression(Coalesce{{null_of(int4), column(1), fails}}, int4), integers({3})), "3");
  EXPECT_EQ(run(make_expression(Coalesce{{null_of(int4), column(1)}}, int4), {Value()}), "NULL");
  const OperatorEntry* equality = find_operator("=", int4, int4);
  EXPECT_EQ(run(make_expression(NullIf{equality, number(1), number(1)}, int4)), "NULL");
  EXPECT_EQ(run(make_expression(NullIf{equality, number(1), null_of(int4)}, int4)), "1");
  EXPECT_EQ(run(make_expression(NullIf{equality, null_of(int4), number(1)}, int4)), "NULL");
  EXPECT_EQ(run(make_expression(MinMax{true, {number(1), null_of(int4), number(3), number(2)}}, int4)), "3");
  EXPECT_EQ(run(make_expression(MinMax{false, {null_of(int4), number(3), number(2)}}, int4)), "2");
  EXPECT_EQ(run(make_expression(MinMax{false, {null_of(int4), null_of(int4)}}, int4)), "NULL");
}

TEST(Program, ConversionsApplyModifiers) {
  const Type varchar3(varchar, 3 + 4);
  EXPECT_EQ(run(cast(literal("abcdef", text), varchar3)), "abc");
  EXPECT_EQ(run(cast(literal("abcdef", text), varchar3, CallForm::implicit_cast)),
            "22001 value too long for type character varying(3)");
  EXPECT_EQ(run(cast(literal("12", text), int4)), "12");
  EXPECT_EQ(run(cast(column(1, text), int4), {Value::text("x")}), "22P02 invalid input syntax for type integer: \"x\"");
  EXPECT_EQ(run(cast(number(5), int8)), "5");
  EXPECT_EQ(run(cast(null_of(text), int4)), "NULL");
  EXPECT_EQ(run(cast(literal("1.255", numeric), Type(numeric, ((10 << 16) | 2) + 4))), "1.26");
}

TEST(Program, ComparisonsOfRows) {
  const auto compare = [](const char* symbol, std::vector<ExpressionPtr> left, std::vector<ExpressionPtr> right) {
    std::vector<const OperatorEntry*> comparisons;
    for (std::size_t i = 0; i < left.size(); ++i) comparisons.push_back(operator_of(symbol, left[i], right[i]));
    return run(make_expression(RowComparison{std::move(comparisons), std::move(left), std::move(right)}, boolean));
  };
  EXPECT_EQ(compare("<", {number(1), number(2)}, {number(1), number(3)}), "t");
  EXPECT_EQ(compare("<", {number(1), number(3)}, {number(1), number(3)}), "f");
  EXPECT_EQ(compare("<=", {number(1), number(3)}, {number(1), number(3)}), "t");
  EXPECT_EQ(compare(">=", {number(2), null_of(int4)}, {number(1), number(3)}), "t");
  EXPECT_EQ(compare("<", {number(1), null_of(int4)}, {number(1), number(3)}), "NULL");
  EXPECT_EQ(compare("<", {null_of(int4), number(1)}, {number(1), number(3)}), "NULL");
  EXPECT_EQ(compare("<", {number(1), literal("b", text), number(1)}, {number(1), literal("c", text), number(0)}), "t");
}

}  // namespace
}  // namespace polarsim::engine::query
