#include "engine/executor/index_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "engine/catalog/describe.h"
#include "engine/executor/relation_shape.h"
#include "engine/query/deparse.h"
#include "engine/storage/key_encoding.h"
#include "engine/syntax/parser.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::executor {

namespace {

query::ExpressionPtr analyse_stored(std::string_view text, const catalog::Definition& table, Type wanted,
                                    const query::AnalysisContext& context, sim::Scheduler& scheduler) {
  syntax::ExpressionPtr expression;
  scheduler.on_scheduler_stack([&] {
    const std::vector<syntax::StatementPtr> parsed = syntax::parse(fmt::format("SELECT {}", text));
    expression = std::get<syntax::Select>(parsed.at(0)->body).items.at(0).expression;
  });
  const query::Relation shape = shape_of(table);
  return query::with_rows_made(query::analyse_over_relation(expression, shape, wanted, "stored expressions", context),
                               shape);
}

}  // namespace

query::Program compile_stored(std::string_view text, const catalog::Definition& table, Type wanted,
                              const query::AnalysisContext& context, sim::Scheduler& scheduler) {
  return query::Program::compile(analyse_stored(text, table, wanted, context, scheduler));
}

IndexKeys::IndexKeys(catalog::DefinitionPtr table, catalog::DefinitionPtr index, const query::AnalysisContext& context,
                     sim::Scheduler& scheduler)
    : table_(std::move(table)), index_(std::move(index)) {
  for (const auto& key : index_->index.keys) {
    if (key.column != 0) continue;
    expressions_.push_back(analyse_stored(key.expression, *table_, key.type, context, scheduler));
    programs_.push_back(query::Program::compile(expressions_.back()));
  }
  if (!index_->index.predicate.empty())
    predicate_ = compile_stored(index_->index.predicate, *table_, TypeId::boolean, context, scheduler);
}

bool IndexKeys::holds(std::span<const Value> row, const CallContext& call) {
  if (!predicate_) return true;
  query::ProgramInputs inputs;
  inputs.first = row;
  return predicate_.holds(inputs, call);
}

std::span<const Value> IndexKeys::values(std::span<const Value> row, const CallContext& call) {
  values_.clear();
  query::ProgramInputs inputs;
  inputs.first = row;
  auto program = programs_.begin();
  for (const auto& key : index_->index.keys)
    values_.push_back(key.column != 0 ? row[static_cast<std::size_t>(key.column - 1)] : (program++)->run(inputs, call));
  return values_;
}

std::string IndexKeys::key(std::span<const Value> values) const {
  std::string key;
  for (std::size_t i = 0; i < values.size(); ++i) storage::append_key(key, values[i], index_->index.keys[i].type.id);
  return key;
}

bool IndexKeys::must_be_unique(std::span<const Value> values) const {
  if (!index_->index.unique) return false;
  if (index_->index.nulls_not_distinct) return true;
  return std::none_of(values.begin(), values.end(), [](const Value& value) { return value.is_null(); });
}

std::string IndexKeys::description(std::span<const Value> values, const CallContext& call) const {
  std::string names;
  std::string texts;
  // As pg_get_indexdef() shows them, pretty.
  catalog::Definition shown = *index_;
  const query::Relation shape = shape_of(*table_);
  query::DeparseOptions options;
  options.pretty = true;
  options.call = &call;
  auto expression = expressions_.begin();
  for (auto& key : shown.index.keys) {
    if (key.column == 0) key.expression = query::deparse(**expression++, &shape, options);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto& key = index_->index.keys[i];
    names += i == 0 ? "" : ", ";
    names += catalog::index_key_text(shown, *table_, static_cast<int>(i) + 1);
    texts += i == 0 ? "" : ", ";
    texts += values[i].is_null() ? "null" : output_value(values[i], key.type.id, call);
  }
  return fmt::format("({})=({})", names, texts);
}

}  // namespace polarsim::engine::executor
