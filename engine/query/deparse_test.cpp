// Trees made by hand; the texts are PostgreSQL 15's for the same views and expressions.
#include "engine/query/deparse.h"

#include <gtest/gtest.h>

#include "engine/query/expression_walk.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::query {
namespace {

using enum TypeId;

ExpressionPtr number(std::int64_t value) { return make_expression(Constant{Value::integer(value)}, int4); }
ExpressionPtr literal(std::string_view written, Type type) {
  return make_expression(Constant{input_value(written, type, {})}, type);
}
ExpressionPtr column(int entry, int position, Type type = int4, int levels_up = 0) {
  return make_expression(Column{entry, position, levels_up}, type);
}
ExpressionPtr operation(const char* symbol, ExpressionPtr left, ExpressionPtr right) {
  const OperatorEntry* entry = find_operator(symbol, left->type.id, right->type.id);
  EXPECT_NE(entry, nullptr) << symbol;
  return make_expression(OperatorCall{entry, {std::move(left), std::move(right)}}, entry->result);
}
ExpressionPtr logical(Logical::Kind kind, std::vector<ExpressionPtr> arguments) {
  return make_expression(Logical{kind, std::move(arguments)}, boolean);
}
ExpressionPtr cast(ExpressionPtr argument, Type target, CallForm form = CallForm::explicit_cast) {
  const Conversion conversion = find_conversion(argument->type.id, target.id, CastContext::explicit_only);
  return make_expression(Convert{conversion, std::move(argument), form}, target);
}

// t(a integer, b boolean, c text)
RelationPtr table(std::string name) {
  auto relation = std::make_shared<Relation>();
  relation->schema = "public";
  relation->name = std::move(name);
  for (const auto& [column_name, type] : {std::pair{"a", int4}, {"b", boolean}, {"c", text}}) {
    RelationColumn made;
    made.name = column_name;
    made.type = type;
    relation->columns.push_back(std::move(made));
  }
  return relation;
}
JoinTreePtr leaf(int entry) {
  auto tree = std::make_shared<JoinTree>();
  tree->entry = entry;
  return tree;
}
RangeTableEntry entry_of(const RelationPtr& relation) {
  RangeTableEntry entry;
  entry.source = TableSource{relation};
  entry.alias = relation->name;
  for (const RelationColumn& each : relation->columns) entry.columns.push_back({each.name, each.type});
  return entry;
}
void add_target(Query& query, ExpressionPtr expression, std::string name) {
  Target target;
  target.expression = std::move(expression);
  target.name = std::move(name);
  query.targets.push_back(std::move(target));
}
std::shared_ptr<Query> query_over(std::initializer_list<const char*> tables) {
  auto query = std::make_shared<Query>();
  for (const char* each : tables) {
    query->from.push_back(leaf(static_cast<int>(query->entries.size())));
    query->entries.push_back(entry_of(table(each)));
  }
  return query;
}
std::string shown(const ExpressionPtr& expression, bool pretty = false) {
  const RelationPtr relation = table("t");
  DeparseOptions options;
  options.pretty = pretty;
  return deparse(*expression, relation.get(), options);
}
std::string for_nodes(const Query& query) {
  DeparseOptions options;
  options.qualify_always = true;
  options.rename = [](const Relation& relation) { return RelationName{relation.schema, relation.name + "_102008"}; };
  return deparse(query, options);
}

TEST(Deparse, Constants) {
  EXPECT_EQ(shown(number(5)), "5");
  EXPECT_EQ(shown(number(-5)), "'-5'::integer");
  EXPECT_EQ(shown(literal("5", int8)), "'5'::bigint");
  EXPECT_EQ(shown(literal("1.5", numeric)), "1.5");
  EXPECT_EQ(shown(literal("15", numeric)), "'15'::numeric");
  EXPECT_EQ(shown(literal("-1.5", numeric)), "'-1.5'::numeric");
  EXPECT_EQ(shown(literal("t", boolean)), "true");
  EXPECT_EQ(shown(make_expression(Constant{}, text)), "NULL::text");
  EXPECT_EQ(shown(literal("it's", text)), "'it''s'::text");
  EXPECT_EQ(shown(literal("a\\b", text)), "'a\\b'::text");
  EXPECT_EQ(shown(literal("x", bpchar)), "'x'::bpchar");
  EXPECT_EQ(shown(cast(literal("abc", varchar), Type(varchar, 6))), "'abc'::character varying(2)");
}

TEST(Deparse, BracketsFollowTheStyle) {
  const ExpressionPtr sum =
      operation("-", operation("+", number(1), operation("*", column(0, 1), number(3))), number(4));
  EXPECT_EQ(shown(sum), "((1 + (a * 3)) - 4)");
  EXPECT_EQ(shown(sum, true), "1 + a * 3 - 4");
  EXPECT_EQ(shown(operation("-", number(1), operation("-", column(0, 1), number(2))), true), "1 - (a - 2)");
  EXPECT_EQ(shown(operation("*", operation("+", column(0, 1), number(1)), number(2)), true), "(a + 1) * 2");
  const ExpressionPtr condition =
      logical(Logical::Kind::conjunction,
              {operation("=", column(0, 1), number(1)),
               logical(Logical::Kind::disjunction, {column(0, 2, boolean), operation(">", column(0, 1), number(5))})});
  EXPECT_EQ(shown(condition), "((a = 1) AND (b OR (a > 5)))");
  EXPECT_EQ(shown(condition, true), "a = 1 AND (b OR a > 5)");
  const OperatorEntry* equality = find_operator("=", int4, int4);
  const ExpressionPtr same = make_expression(DistinctTest{equality, column(0, 1), number(2), true}, boolean);
  EXPECT_EQ(shown(same), "(NOT (a IS DISTINCT FROM 2))");
  EXPECT_EQ(shown(same, true), "NOT a IS DISTINCT FROM 2");
}

TEST(Deparse, ConversionsAreShownAsTheyWereWritten) {
  EXPECT_EQ(shown(cast(number(5), int8)), "(5)::bigint");
  EXPECT_EQ(shown(cast(number(5), int8), true), "5::bigint");
  EXPECT_EQ(shown(cast(operation("+", column(0, 1), number(1)), text)), "((a + 1))::text");
  EXPECT_EQ(shown(cast(operation("+", column(0, 1), number(1)), text), true), "(a + 1)::text");
  const ExpressionPtr implicit = cast(column(0, 1), int8, CallForm::implicit_cast);
  EXPECT_EQ(shown(implicit), "a");
}

TEST(Deparse, CaseTakesLines) {
  const ExpressionPtr choice =
      make_expression(Case{nullptr, {{operation("=", column(0, 1), number(1)), number(2)}}, number(3)}, int4);
  EXPECT_EQ(shown(choice), "\nCASE\n    WHEN (a = 1) THEN 2\n    ELSE 3\nEND");
}

TEST(Deparse, ViewOfOneTable) {
  const auto query = query_over({"t"});
  add_target(*query, column(0, 1), "a");
  add_target(*query, operation("+", column(0, 1), number(1)), "more");
  query->where = logical(Logical::Kind::conjunction, {column(0, 2, boolean), operation(">", column(0, 1), number(5))});
  query->order_by.push_back({0, true, true});
  query->limit = cast(number(3), int8, CallForm::implicit_cast);
  EXPECT_EQ(
      deparse(*query),
      " SELECT t.a,\n    (t.a + 1) AS more\n   FROM t\n  WHERE (t.b AND (t.a > 5))\n  ORDER BY t.a DESC\n LIMIT 3");
  DeparseOptions pretty;
  pretty.pretty = true;
  EXPECT_EQ(deparse(*query, pretty),
            " SELECT t.a,\n    t.a + 1 AS more\n   FROM t\n  WHERE t.b AND t.a > 5\n  ORDER BY t.a DESC\n LIMIT 3");
}

TEST(Deparse, NamesAreMadeUnique) {
  const auto inner = query_over({"t"});
  add_target(*inner, number(1), "?column?");
  inner->where = operation("=", column(0, 1), column(0, 1, int4, 1));
  const auto query = query_over({"t", "new"});
  add_target(*query, column(0, 1), "a");
  add_target(*query, column(1, 1), "other");
  query->where = make_expression(Subquery{Subquery::Kind::exists, inner, {}, {}}, boolean);
  EXPECT_EQ(deparse(*query),
            " SELECT t.a,\n    new_1.a AS other\n   FROM t,\n    new new_1\n  WHERE (EXISTS ( SELECT 1\n"
            "           FROM t t_1\n          WHERE (t_1.a = t.a)))");
}

TEST(Deparse, Joins) {
  auto query = query_over({"t", "u"});
  RangeTableEntry joined;
  joined.source = JoinSource{
      {column(0, 1), column(0, 2, boolean), column(0, 3, text), column(1, 2, boolean), column(1, 3, text)}, {"a"}, {}};
  for (const char* name : {"a", "b", "c", "b", "c"}) joined.columns.push_back({name, int4});
  query->entries.push_back(joined);
  auto tree = std::make_shared<JoinTree>();
  tree->entry = 2;
  tree->left = leaf(0);
  tree->right = leaf(1);
  tree->type = JoinType::left;
  tree->condition = operation("=", column(0, 1), column(1, 1));
  query->from = {tree};
  add_target(*query, column(0, 1), "a");
  EXPECT_EQ(deparse(*query), " SELECT t.a\n   FROM (t\n     LEFT JOIN u USING (a))");
  std::get<JoinSource>(query->entries[2].source).using_columns.clear();
  query->entries[2].columns = {{"a", int4}, {"b", boolean}, {"c", text}, {"a", int4}, {"b", boolean}, {"c", text}};
  EXPECT_EQ(deparse(*query), " SELECT t.a\n   FROM (t\n     LEFT JOIN u ON ((t.a = u.a)))");
}

TEST(Deparse, TasksAreQualifiedAndTyped) {
  const auto query = query_over({"t"});
  add_target(*query, cast(column(0, 1), int8, CallForm::implicit_cast), "a");
  query->where = operation("=", column(0, 1), make_expression(Parameter{1, false}, int4));
  EXPECT_EQ(for_nodes(*query), "SELECT (t.a)::bigint AS a FROM public.t_102008 t WHERE (t.a = $1::integer)");
  auto change = query_over({"t"});
  change->command = Command::update;
  change->result_entry = 0;
  add_target(*change, cast(literal("x", text), Type(varchar, 7), CallForm::implicit_cast), "c");
  change->targets[0].column = 3;
  change->where = operation("=", column(0, 1), number(1));
  EXPECT_EQ(for_nodes(*change), "UPDATE public.t_102008 t SET c = 'x'::text WHERE (t.a = 1)");
  auto removal = query_over({"t"});
  removal->command = Command::remove;
  removal->result_entry = 0;
  EXPECT_EQ(for_nodes(*removal), "DELETE FROM public.t_102008 t");
}

}  // namespace
}  // namespace polarsim::engine::query
