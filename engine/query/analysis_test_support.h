// Relations described by SQL text, and statements analysed over them, for tests.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/query/analysis.h"

namespace polarsim::engine::query {

// What CREATE TABLE, CREATE [UNIQUE] INDEX, CREATE VIEW and CREATE SEQUENCE of a text describe, in schema public.
class DescribedRelations final : public RelationSource {
 public:
  explicit DescribedRelations(std::string_view definitions);
  RelationPtr open(std::string_view schema, std::string_view name, syntax::TableLockMode lock) override;
  bool has_schema(std::string_view name) const override { return name == "public" || name == "pg_catalog"; }

  // Of the tables opened, in order: "t access_share".
  std::vector<std::string> locks;

 private:
  void add(Relation relation);
  void add_table(const syntax::CreateTable& definition);
  void add_view(const syntax::CreateView& definition);
  void add_index(const syntax::CreateIndex& definition);

  std::map<std::string, RelationPtr, std::less<>> relations_;
  std::uint32_t next_id_ = 16384;
};

// The only statement of the text, analysed. `parameters`: as AnalysisContext::parameter_types.
QueryPtr analyse_text(std::string_view text, RelationSource& relations, std::vector<Type>* parameters = nullptr);
// The columns of the answer and the types of parameters, or the error:
//   "a integer, b text", "a integer; $1 text", "" for none,
//   "!42703@8 column \"x\" does not exist", followed by " DETAIL ..." and " HINT ...".
std::string answer_of(std::string_view text, RelationSource& relations);

}  // namespace polarsim::engine::query
