#include "engine/query/analysis_test_support.h"

#include <algorithm>
#include <stdexcept>

#include "engine/syntax/parser.h"
#include "engine/types/error.h"
#include "engine/types/random.h"

namespace polarsim::engine::query {

namespace {

// Defaults name sequences by regclass.
class NumberOfAnyName final : public SessionServices {
 public:
  Value call(const FunctionEntry& function, const FunctionCall&) override {
    throw SqlError(sqlstate::feature_not_supported, function.name);
  }
  RandomSequence& random_sequence() override { throw std::logic_error("analysis is no matter of chance"); }
  std::uint64_t random_bits() override { throw std::logic_error("analysis is no matter of chance"); }
  std::string object_name(TypeId, std::uint32_t oid) override { return std::to_string(oid); }
  std::uint32_t object_number(TypeId, std::string_view name) override {
    return static_cast<std::uint32_t>(name.size());
  }
};

syntax::ExpressionPtr next_value() {
  const auto statements = syntax::parse("SELECT nextval('sequence')");
  return std::get<syntax::Select>(statements[0]->body).items[0].expression;
}

RelationIndex index_over(const Relation& relation, const std::vector<std::string>& columns,
                         const syntax::Constraint& by, bool primary) {
  RelationIndex index;
  index.name = by.name;
  if (index.name.empty()) {
    index.name = relation.name;
    for (const std::string& column : columns) index.name += primary ? "" : "_" + column;
    index.name += primary ? "_pkey" : "_key";
  }
  for (const std::string& column : columns) index.keys.push_back({relation.find(column), nullptr, false, false});
  index.unique = true;
  index.primary = primary;
  index.constraint = true;
  return index;
}

void add_constraint(Relation& relation, const syntax::Constraint& constraint, RelationColumn* column) {
  using Kind = syntax::Constraint::Kind;
  std::vector<std::string> columns = constraint.columns;
  if (column != nullptr) columns = {column->name};
  switch (constraint.kind) {
    case Kind::not_null:
      column->not_null = true;
      break;
    case Kind::default_value:
      column->default_value = constraint.expression;
      break;
    case Kind::generated:
      column->generated = constraint.expression;
      break;
    case Kind::identity:
      column->identity =
          constraint.identity_always ? RelationColumn::Identity::always : RelationColumn::Identity::by_default;
      column->default_value = next_value();
      break;
    case Kind::check:
      relation.checks.push_back({constraint.name, constraint.expression});
      break;
    case Kind::primary_key:
    case Kind::unique:
      relation.indexes.push_back(index_over(relation, columns, constraint, constraint.kind == Kind::primary_key));
      break;
    case Kind::null:
    case Kind::foreign_key:
      break;
  }
}

}  // namespace

DescribedRelations::DescribedRelations(std::string_view definitions) {
  for (const syntax::StatementPtr& statement : syntax::parse(definitions)) {
    if (const auto* table = std::get_if<syntax::CreateTable>(&statement->body)) {
      add_table(*table);
    } else if (const auto* view = std::get_if<syntax::CreateView>(&statement->body)) {
      add_view(*view);
    } else if (const auto* index = std::get_if<syntax::CreateIndex>(&statement->body)) {
      add_index(*index);
    } else if (const auto* sequence = std::get_if<syntax::CreateSequence>(&statement->body)) {
      Relation relation;
      relation.name = sequence->sequence.name;
      relation.kind = Relation::Kind::sequence;
      relation.columns.resize(3);
      relation.columns[0].name = "last_value";
      relation.columns[0].type = TypeId::int8;
      relation.columns[1].name = "log_cnt";
      relation.columns[1].type = TypeId::int8;
      relation.columns[2].name = "is_called";
      relation.columns[2].type = TypeId::boolean;
      add(std::move(relation));
    } else {
      throw std::logic_error("no definition of a relation");
    }
  }
  // What views opened while they were described is nobody's business.
  locks.clear();
}

void DescribedRelations::add(Relation relation) {
  relation.id = next_id_++;
  relation.schema = "public";
  std::string name = relation.name;
  relations_[std::move(name)] = std::make_shared<const Relation>(std::move(relation));
}

void DescribedRelations::add_table(const syntax::CreateTable& definition) {
  Relation relation;
  relation.name = definition.table.name;
  for (const syntax::ColumnDefinition& written : definition.columns) {
    RelationColumn& column = relation.columns.emplace_back();
    column.name = written.name;
    const bool serial = written.type.name == "serial";
    column.type = serial ? Type(TypeId::int4) : resolve_type(written.type);
    if (serial) column.default_value = next_value();
    // A column of this name has been dropped again.
    column.dropped = written.name.starts_with("dropped");
  }
  for (std::size_t i = 0; i < definition.columns.size(); ++i) {
    for (const syntax::Constraint& constraint : definition.columns[i].constraints) {
      add_constraint(relation, constraint, &relation.columns[i]);
    }
  }
  for (const syntax::Constraint& constraint : definition.constraints) add_constraint(relation, constraint, nullptr);
  add(std::move(relation));
}

void DescribedRelations::add_view(const syntax::CreateView& definition) {
  const CallContext call;
  const QueryPtr query = analyse(*definition.query, AnalysisContext{*this, call});
  Relation relation;
  relation.name = definition.view.name;
  relation.kind = Relation::Kind::view;
  relation.view = definition.query;
  for (const OutputName& output : output_columns(*query)) {
    RelationColumn& column = relation.columns.emplace_back();
    column.name = output.name;
    column.type = output.type;
  }
  for (std::size_t i = 0; i < definition.columns.size(); ++i) relation.columns[i].name = definition.columns[i];
  add(std::move(relation));
}

void DescribedRelations::add_index(const syntax::CreateIndex& definition) {
  const RelationPtr old = relations_.at(definition.table.name);
  Relation changed = *old;
  RelationIndex& index = changed.indexes.emplace_back();
  index.name = definition.name;
  index.unique = definition.unique;
  index.predicate = definition.where;
  for (const syntax::IndexElement& element : definition.elements) {
    index.keys.push_back({element.expression == nullptr ? changed.find(element.column) : 0, element.expression,
                          element.descending, element.nulls_first});
  }
  relations_[definition.table.name] = std::make_shared<const Relation>(std::move(changed));
}

RelationPtr DescribedRelations::open(std::string_view schema, std::string_view name, syntax::TableLockMode lock) {
  if (!schema.empty() && schema != "public") return nullptr;
  const auto found = relations_.find(name);
  if (found == relations_.end()) return nullptr;
  const char* modes[] = {"access_share", "row_share", "row_exclusive"};
  const auto mode = static_cast<std::size_t>(lock);
  locks.push_back(std::string(name) + " " + (mode < std::size(modes) ? modes[mode] : "stronger"));
  return found->second;
}

QueryPtr analyse_text(std::string_view text, RelationSource& relations, std::vector<Type>* parameters) {
  NumberOfAnyName session;
  CallContext call;
  call.session = &session;
  const AnalysisContext context{relations, call, parameters, true};
  const std::vector<syntax::StatementPtr> statements = syntax::parse(text);
  if (statements.size() != 1) throw std::logic_error("one statement at a time");
  const syntax::StatementBody& body = statements[0]->body;
  if (const auto* select = std::get_if<syntax::Select>(&body)) return analyse(*select, context);
  if (const auto* insert = std::get_if<syntax::Insert>(&body)) return analyse(*insert, context);
  if (const auto* update = std::get_if<syntax::Update>(&body)) return analyse(*update, context);
  return analyse(std::get<syntax::Delete>(body), context);
}

std::string answer_of(std::string_view text, RelationSource& relations) {
  std::vector<Type> parameters;
  std::string answer;
  try {
    const QueryPtr query = analyse_text(text, relations, &parameters);
    for (const OutputName& column : output_columns(*query)) {
      if (!answer.empty()) answer += ", ";
      answer += column.name + " " + format_type(column.type);
    }
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      answer += "; $" + std::to_string(i + 1) + " " + format_type(parameters[i].id);
    }
  } catch (const SqlError& error) {
    const ErrorFields& fields = error.fields();
    answer = "!" + fields.sqlstate + "@" + std::to_string(fields.position) + " " + fields.message;
    if (!fields.detail.empty()) answer += " DETAIL " + fields.detail;
    if (!fields.hint.empty()) answer += " HINT " + fields.hint;
  }
  std::replace(answer.begin(), answer.end(), '\n', ' ');
  return answer;
}

}  // namespace polarsim::engine::query
