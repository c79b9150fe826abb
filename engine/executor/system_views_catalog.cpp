#include "engine/executor/system_views_catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "engine/executor/definition_texts.h"
#include "sim/assert.h"

namespace polarsim::engine::executor {

namespace {

char kind_of(const catalog::Definition& definition) { return static_cast<char>(definition.kind); }

ShownRelation shown(const SystemView& view) {
  ShownRelation made;
  made.id = view.relation->id;
  made.schema = view.relation->schema;
  made.schema_id = made.schema == information_schema ? information_schema_oid : system_schema_oid;
  made.name = view.relation->name;
  made.kind = made.id < first_view_of_catalog ? 'r' : 'v';
  made.system = view.relation.get();
  return made;
}

// PostgreSQL's ChooseIndexColumnNames() (src/backend/commands/indexcmds.c): what is no column goes by its function or
// the like, or by "expr", with a number behind it if that is taken.
std::vector<ShownColumn> index_columns(const SystemViewInputs& inputs, const catalog::IndexProperties& index) {
  const catalog::DefinitionPtr table = definition_of(inputs, index.table);
  std::vector<ShownColumn> columns;
  const auto add_column = [&](int number) {
    const catalog::Column& column = table->columns.at(static_cast<std::size_t>(number - 1));
    columns.push_back({column.name, column.type, nullptr});
  };
  for (const catalog::IndexProperties::Key& key : index.keys) {
    if (key.column != 0) {
      add_column(key.column);
      continue;
    }
    const std::string base = expression_column_name(inputs.database, key.expression);
    std::string name = base;
    for (int i = 1; std::ranges::any_of(columns, [&](const ShownColumn& other) { return other.name == name; }); ++i)
      name = fmt::format("{}{}", base, i);
    columns.push_back({std::move(name), key.type, nullptr});
  }
  for (const int number : index.included) add_column(number);
  return columns;
}

void sort_unique(std::vector<std::uint32_t>& numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
}

}  // namespace

Value int2_array(std::span<const int> numbers) {
  std::vector<Value> values;
  for (const int number : numbers) values.push_back(Value::integer(number));
  return Value::array(Array(TypeId::int2, std::move(values)));
}

Value vector_of(TypeId element, std::vector<Value> values) {
  if (values.empty()) return Value::array(Array(element));
  const Array::Dimension dimension{static_cast<std::int32_t>(values.size()), 0};
  return Value::array(Array(element, {dimension}, std::move(values)));
}

Value ask_session(const SystemViewInputs& inputs, std::string_view function, std::vector<Value> arguments,
                  std::vector<TypeId> types) {
  if (inputs.call.session == nullptr) return Value::null();
  const FunctionEntry* const entry = find_function(function, types);
  POLARSIM_ASSERT(entry != nullptr, "no such function");
  const std::vector<Type> argument_types(types.begin(), types.end());
  return inputs.call.session->call(*entry, {.arguments = arguments,
                                            .types = argument_types,
                                            .result = entry->result,
                                            .context = inputs.call,
                                            .function = entry});
}

TypeLayout layout_of(const TypeInfo& type) {
  using enum TypeId;
  TypeLayout layout;
  const TypeId element = is_array(type.id) ? type.element : type.id;
  layout.by_value = type.length == 1 || type.length == 2 || type.length == 4 || type.length == 8;
  if (type.length == 1 || type.length == 16 || type.length == 64 || type.length == -2) layout.alignment = 'c';
  if (type.length == 2) layout.alignment = 's';
  const bool double_aligned = type_info(element).length == 8 || element == interval || element == record ||
                              element == any_array || element == any_compatible_array;
  if (double_aligned) layout.alignment = 'd';
  if (type.length == -1) layout.storage = type.id == numeric ? 'm' : 'x';
  if (type.id == int2vector || type.id == oidvector) layout.storage = 'p';
  if (element == name) layout.collation = 950;
  if (element == text || element == varchar || element == bpchar) layout.collation = 100;
  return layout;
}

namespace {

// The relative hides shards, and their indexes, from whoever reads pg_class (worker_shard_visibility.c).
bool is_hidden(const SystemViewInputs& inputs, const catalog::Relation& relation) {
  const std::string& name = relation.description->name;
  const std::size_t last = name.find_last_not_of("0123456789");
  const bool may_be_shard = last != std::string::npos && last + 1 < name.size() && name[last] == '_';
  if (!may_be_shard) return false;
  const Value answer = ask_session(inputs, "relation_is_a_known_shard", {number(relation.id)}, {TypeId::regclass});
  return !answer.is_null() && answer.as_boolean();
}

}  // namespace

std::vector<ShownRelation> defined_relations(const SystemViewInputs& inputs) {
  std::vector<catalog::Relation> relations = inputs.database.catalog().relations(&inputs.transaction);
  std::map<std::string, std::int64_t> schemas;
  for (const catalog::Relation& relation : relations) {
    if (relation.description->kind == catalog::RelationKind::schema) schemas[relation.description->name] = relation.id;
  }
  std::vector<ShownRelation> result;
  for (catalog::Relation& relation : relations) {
    const catalog::Definition& definition = *relation.description;
    if (definition.kind == catalog::RelationKind::schema || is_hidden(inputs, relation)) continue;
    ShownRelation made;
    made.id = relation.id;
    made.schema = definition.schema;
    const auto schema = schemas.find(definition.schema);
    if (schema != schemas.end()) made.schema_id = schema->second;
    made.name = definition.name;
    made.kind = kind_of(definition);
    made.relation = std::move(relation);
    result.push_back(std::move(made));
  }
  return result;
}

std::vector<ShownRelation> shown_relations(const SystemViewInputs& inputs) {
  std::vector<ShownRelation> result = defined_relations(inputs);
  for (const SystemView& view : system_views()) result.push_back(shown(view));
  std::sort(result.begin(), result.end(), [](const ShownRelation& a, const ShownRelation& b) { return a.id < b.id; });
  return result;
}

std::size_t column_count(const ShownRelation& relation) {
  if (relation.system != nullptr) {
    return static_cast<std::size_t>(std::ranges::count_if(
        relation.system->columns, [](const query::RelationColumn& column) { return !column.dropped; }));
  }
  const catalog::Definition& definition = relation.definition();
  if (relation.kind == 'i') return definition.index.keys.size() + definition.index.included.size();
  constexpr std::size_t columns_of_sequence = 3;
  return relation.kind == 'S' ? columns_of_sequence : definition.columns.size();
}

std::vector<ShownColumn> columns_of(const SystemViewInputs& inputs, const ShownRelation& relation) {
  std::vector<ShownColumn> columns;
  if (relation.system != nullptr) {
    for (const query::RelationColumn& column : relation.system->columns) {
      if (!column.dropped) columns.push_back({column.name, column.type, nullptr});
    }
    return columns;
  }
  const catalog::Definition& definition = relation.definition();
  if (definition.kind == catalog::RelationKind::index) return index_columns(inputs, definition.index);
  if (definition.kind == catalog::RelationKind::sequence) {
    columns.push_back({"last_value", TypeId::int8, nullptr});
    columns.push_back({"log_cnt", TypeId::int8, nullptr});
    columns.push_back({"is_called", TypeId::boolean, nullptr});
  }
  for (const catalog::Column& column : definition.columns) columns.push_back({column.name, column.type, &column});
  return columns;
}

catalog::DefinitionPtr definition_of(const SystemViewInputs& inputs, std::uint32_t id) {
  const auto found = inputs.database.catalog().find(&inputs.transaction, id);
  return found ? found->description : nullptr;
}

std::vector<std::uint32_t> tables_with_index(const std::vector<ShownRelation>& relations) {
  std::vector<std::uint32_t> tables;
  for (const ShownRelation& relation : relations) {
    if (relation.kind == 'i') tables.push_back(relation.definition().index.table);
  }
  sort_unique(tables);
  return tables;
}

std::vector<std::uint32_t> tables_with_foreign_keys(const std::vector<ShownRelation>& relations) {
  std::vector<std::uint32_t> tables;
  for (const ShownRelation& relation : relations) {
    if (relation.system != nullptr) continue;
    for (const catalog::ForeignKey& key : relation.definition().foreign_keys) {
      tables.push_back(relation.id);
      tables.push_back(key.referenced);
    }
  }
  sort_unique(tables);
  return tables;
}

bool contains(const std::vector<std::uint32_t>& sorted, std::uint32_t id) {
  return std::binary_search(sorted.begin(), sorted.end(), id);
}

}  // namespace polarsim::engine::executor
