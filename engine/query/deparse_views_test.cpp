// Views as PostgreSQL shows them: fixtures/views.txt has what a PostgreSQL 15 said.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "engine/query/analysis.h"
#include "engine/query/deparse.h"
#include "engine/syntax/parser.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {
namespace {

class ThreeTables final : public RelationSource {
 public:
  RelationPtr open(std::string_view, std::string_view relation, syntax::TableLockMode) override {
    using enum TypeId;
    if (relation == "t") return table("t", {{"a", int4}, {"b", int4}});
    if (relation == "u") return table("u", {{"a", int4}, {"c", text}});
    if (relation == "s") return table("s", {{"d", int4}, {"e", numeric}, {"f", text}});
    return nullptr;
  }
  bool has_schema(std::string_view name) const override { return name == "public"; }

 private:
  static RelationPtr table(const char* name, std::initializer_list<std::pair<const char*, TypeId>> columns) {
    auto relation = std::make_shared<Relation>();
    relation->id = static_cast<std::uint32_t>(16384 + name[0]);
    relation->schema = "public";
    relation->name = name;
    for (const auto& [column, type] : columns) {
      RelationColumn made;
      made.name = column;
      made.type = type;
      relation->columns.push_back(std::move(made));
    }
    return relation;
  }
};

std::string shown(const std::string& text, bool pretty) {
  try {
    ThreeTables tables;
    const CallContext call;
    const std::vector<syntax::StatementPtr> statements = syntax::parse(text);
    const QueryPtr query = analyse(std::get<syntax::Select>(statements.at(0)->body), AnalysisContext{tables, call});
    DeparseOptions options;
    options.pretty = pretty;
    return deparse(*query, options) + ";\n";
  } catch (const SqlError& error) {
    return error.sqlstate() + " " + error.fields().message;
  }
}

// What a node would be told, told again: the second text must be the first.
std::string for_nodes(const std::string& text) {
  ThreeTables tables;
  const CallContext call;
  const std::vector<syntax::StatementPtr> statements = syntax::parse(text);
  const QueryPtr query = analyse(std::get<syntax::Select>(statements.at(0)->body), AnalysisContext{tables, call});
  DeparseOptions options;
  options.qualify_always = true;
  return deparse(*query, options);
}

struct View {
  std::string text;
  std::string plain;
  std::string pretty;
};

std::vector<View> views() {
  std::ifstream file("engine/query/fixtures/views.txt");
  std::vector<View> all;
  std::string line;
  bool pretty = false;
  while (std::getline(file, line)) {
    if (line.starts_with("//") || line.empty()) continue;
    if (line.starts_with("# ")) {
      all.push_back({line.substr(2), "", ""});
      pretty = false;
    } else if (line == "--") {
      pretty = true;
    } else {
      (pretty ? all.back().pretty : all.back().plain) += line + "\n";
    }
  }
  return all;
}

TEST(DeparseViews, LookAsInPostgres) {
  const std::vector<View> all = views();
  ASSERT_GT(all.size(), 30U);
  for (const View& view : all) {
    EXPECT_EQ(shown(view.text, false), view.plain) << view.text;
    EXPECT_EQ(shown(view.text, true), view.pretty) << view.text;
  }
}

TEST(DeparseViews, TasksMeanTheSameWhereTheyAreRead) {
  for (const View& view : views()) {
    const std::string task = for_nodes(view.text);
    EXPECT_EQ(for_nodes(task), task) << view.text;
  }
}

}  // namespace
}  // namespace polarsim::engine::query
