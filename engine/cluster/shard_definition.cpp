#include "engine/cluster/shard_definition.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "engine/catalog/describe.h"
#include "engine/distribution/table.h"
#include "engine/types/quote.h"
#include "engine/types/type.h"

namespace polarsim::engine::cluster {

namespace {

using catalog::Column;
using catalog::Definition;
using catalog::DefinitionPtr;
using catalog::RelationKind;
using distribution::shard_name;

std::string quoted(const std::string& schema, const std::string& name) {
  return quote_identifier(schema) + "." + quote_identifier(name);
}

// --- sequences ---

constexpr std::string_view nextval_begin = "nextval('";
constexpr std::string_view nextval_end = "'::regclass)";

// A default that is nothing but nextval() of one sequence, as the catalog keeps it: what stands in the quotes.
std::optional<std::string> counted_by(const std::string& default_text) {
  if (!default_text.starts_with(nextval_begin) || !default_text.ends_with(nextval_end)) return std::nullopt;
  return default_text.substr(nextval_begin.size(), default_text.size() - nextval_begin.size() - nextval_end.size());
}

// A sequence that a default names by its number.
DefinitionPtr sequence_by_number(const catalog::Catalog& catalog, const txn::Transaction* reader,
                                 const std::string& number) {
  RelationId id = 0;
  const char* end = number.data() + number.size();
  const auto [stop, error] = std::from_chars(number.data(), end, id);
  if (error != std::errc() || stop != end) return nullptr;
  const auto found = catalog.find(reader, id);
  return found && found->description->kind == RelationKind::sequence ? found->description : nullptr;
}

std::string nextval_default(const Definition& sequence) {
  return fmt::format("nextval({})", regclass_literal(sequence));
}

struct Bounds {
  std::int64_t low = 0;
  std::int64_t high = 0;
  // The type has no numbers for so high a group.
  bool exhausted = false;
};

// A coordinator's group is in the bits above these.
int bits_of_numbers(TypeId type) {
  switch (type) {
    case TypeId::int2:
      return 12;
    case TypeId::int4:
      return 28;
    default:
      return 48;
  }
}

std::int64_t highest(TypeId type) {
  switch (type) {
    case TypeId::int2:
      return std::numeric_limits<std::int16_t>::max();
    case TypeId::int4:
      return std::numeric_limits<std::int32_t>::max();
    default:
      return std::numeric_limits<std::int64_t>::max();
  }
}

Bounds bounds_for(TypeId type, int group) {
  const int bits = bits_of_numbers(type);
  const std::int64_t top = highest(type);
  if (group > (top >> bits)) return {top - 1, top, true};
  const std::int64_t before = static_cast<std::int64_t>(group) << bits;
  const std::int64_t room = std::int64_t{1} << bits;
  return {before + 1, top - before < room ? top : before + room, false};
}

std::string sequence_options(const catalog::SequenceProperties& sequence, int group) {
  Bounds bounds{sequence.parameters.minimum, sequence.parameters.maximum, false};
  std::int64_t start = sequence.parameters.start;
  if (group != 0) {
    bounds = bounds_for(sequence.type, group);
    start = sequence.parameters.increment > 0 ? bounds.low : bounds.high;
  }
  return fmt::format("START WITH {} INCREMENT BY {} MINVALUE {} MAXVALUE {}{}", start, sequence.parameters.increment,
                     bounds.low, bounds.high, sequence.parameters.cycle && !bounds.exhausted ? " CYCLE" : "");
}

// nextval() is then an error, as on every sequence at its end.
void exhaust_if_needed(const Definition& sequence, int group, std::vector<std::string>& statements) {
  const Bounds bounds = bounds_for(sequence.sequence.type, group);
  if (group == 0 || !bounds.exhausted) return;
  statements.push_back(fmt::format("SELECT pg_catalog.setval({}, {}, true)", regclass_literal(sequence), bounds.high));
}

const UsedSequence* sequence_of(const TableParts& parts, std::size_t column) {
  for (const UsedSequence& sequence : parts.sequences) {
    if (sequence.column == static_cast<int>(column) + 1) return &sequence;
  }
  return nullptr;
}

// --- tables ---

std::string plain_column(const Column& column) {
  std::string text = quote_identifier(column.name) + " " + format_type(column.type);
  if (!column.generated_text.empty()) text += fmt::format(" GENERATED ALWAYS AS ({}) STORED", column.generated_text);
  if (column.not_null) text += " NOT NULL";
  return text;
}

std::string shell_column(const TableParts& parts, std::size_t position, int group) {
  const Column& column = parts.table->columns[position];
  std::string text = plain_column(column);
  const UsedSequence* sequence = sequence_of(parts, position);
  if (column.identity != Column::Identity::none && sequence != nullptr) {
    return text + fmt::format(" GENERATED {} AS IDENTITY (SEQUENCE NAME {} {})",
                              column.identity == Column::Identity::always ? "ALWAYS" : "BY DEFAULT",
                              qualified_name(*sequence->definition),
                              sequence_options(sequence->definition->sequence, group));
  }
  if (column.default_text.empty()) return text;
  const bool counts = sequence != nullptr && counted_by(column.default_text);
  return text + " DEFAULT " + (counts ? nextval_default(*sequence->definition) : column.default_text);
}

std::string with_options(const Definition& relation) {
  return relation.options.empty() ? std::string() : fmt::format(" WITH ({})", catalog::options_text(relation));
}

// CREATE TABLE with what `column` says of each column, and the constraints that need no other table. `suffixed`: what
// indexes and constraints are called.
template <typename ColumnText, typename Suffixed>
std::string create_table(const TableParts& parts, const std::string& name, const ColumnText& column,
                         const Suffixed& suffixed) {
  const Definition& table = *parts.table;
  std::string items;
  const auto add = [&items](const std::string& item) { items += (items.empty() ? "" : ", ") + item; };
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (!table.columns[i].dropped) add(column(i));
  }
  for (const DefinitionPtr& index : parts.indexes) {
    if (!index->index.constraint) continue;
    add(fmt::format("CONSTRAINT {} {}", quote_identifier(suffixed(index->name)),
                    catalog::key_constraint_text(*index, table) + with_options(*index)));
  }
  for (const catalog::Check& check : table.checks)
    add(fmt::format("CONSTRAINT {} CHECK ({})", quote_identifier(suffixed(check.name)), check.condition) +
        (check.no_inherit ? " NO INHERIT" : ""));
  return fmt::format("CREATE TABLE {} ({}){}", name, items, with_options(table));
}

// --- whole rows ---

// Where the quoted text or name ends that begins there; a quote within it is doubled.
std::size_t end_of_quotes(const std::string& text, std::size_t begin) {
  for (std::size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] != text[begin]) continue;
    if (i + 1 < text.size() && text[i + 1] == text[begin]) {
      ++i;
    } else {
      return i + 1;
    }
  }
  return text.size();
}

bool continues_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 128;
}

// An expression of the catalog with its whole rows, `name.*`, named by another table. It was written by deparse():
// texts and names are quoted where they must be, and nothing else of it has the table in front.
std::string with_rows_named(const std::string& expression, const std::string& table, const std::string& shard) {
  const std::string from = quote_identifier(table);
  std::string result;
  for (std::size_t i = 0; i < expression.size();) {
    std::size_t end = i + 1;
    if (expression[i] == '\'' || expression[i] == '"') {
      end = end_of_quotes(expression, i);
    } else if (continues_name(expression[i])) {
      while (end < expression.size() && continues_name(expression[end])) ++end;
    }
    const std::string part = expression.substr(i, end - i);
    const bool whole_row = part == from && expression.compare(end, 2, ".*") == 0;
    result += whole_row ? quote_identifier(shard) : part;
    i = end;
  }
  return result;
}

// The table as its shard has it: whole rows are those of the shard.
TableParts with_rows_of_shard(TableParts parts, std::int64_t shard_id) {
  const std::string name = parts.table->name;
  const std::string shard = shard_name(name, shard_id);
  Definition table = *parts.table;
  for (catalog::Check& check : table.checks) check.condition = with_rows_named(check.condition, name, shard);
  for (DefinitionPtr& index : parts.indexes) {
    Definition changed = *index;
    changed.index.predicate = with_rows_named(changed.index.predicate, name, shard);
    for (catalog::IndexProperties::Key& key : changed.index.keys)
      key.expression = with_rows_named(key.expression, name, shard);
    index = std::make_shared<const Definition>(std::move(changed));
  }
  parts.table = std::make_shared<const Definition>(std::move(table));
  return parts;
}

template <typename Suffixed>
void add_indexes(const TableParts& parts, const std::string& table_name, const Suffixed& suffixed,
                 std::vector<std::string>& statements) {
  for (const DefinitionPtr& index : parts.indexes) {
    if (index->index.constraint) continue;
    Definition renamed = *index;
    renamed.name = suffixed(index->name);
    statements.push_back(catalog::index_text(renamed, *parts.table, table_name));
  }
}

void add_comments(const TableParts& parts, std::vector<std::string>& statements) {
  const Definition& table = *parts.table;
  const std::string name = qualified_name(table);
  if (!table.comment.empty())
    statements.push_back(fmt::format("COMMENT ON TABLE {} IS {}", name, quote_literal(table.comment)));
  for (const Column& column : table.columns) {
    if (column.dropped || column.comment.empty()) continue;
    statements.push_back(fmt::format("COMMENT ON COLUMN {}.{} IS {}", name, quote_identifier(column.name),
                                     quote_literal(column.comment)));
  }
  for (const DefinitionPtr& index : parts.indexes) {
    if (index->comment.empty()) continue;
    statements.push_back(
        fmt::format("COMMENT ON INDEX {} IS {}", qualified_name(*index), quote_literal(index->comment)));
  }
}

}  // namespace

TableParts table_parts(const catalog::Catalog& catalog, const txn::Transaction* transaction, RelationId table) {
  const catalog::TablePtr found = catalog.find_table(transaction, table);
  TableParts parts;
  parts.id = table;
  parts.table = found->description;
  for (const catalog::Index& index : found->indexes) parts.indexes.push_back(index.description);
  const auto& columns = parts.table->columns;
  for (const catalog::Relation& relation : catalog.relations(transaction)) {
    const catalog::SequenceProperties& sequence = relation.description->sequence;
    if (relation.description->kind != RelationKind::sequence || sequence.owner != table) continue;
    parts.sequences.push_back({sequence.owner_column, true, relation.description});
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::optional<std::string> counter = counted_by(columns[i].default_text);
    if (!counter) continue;
    const DefinitionPtr sequence = sequence_by_number(catalog, transaction, *counter);
    if (sequence == nullptr) continue;  // named: the owned one
    // What a column owns and what it counts by may be two sequences; it is the latter that the default is about.
    std::erase_if(parts.sequences, [i](const UsedSequence& used) { return used.column == static_cast<int>(i) + 1; });
    parts.sequences.push_back({static_cast<int>(i) + 1, sequence->sequence.owner == table, sequence});
  }
  return parts;
}

std::string qualified_name(const Definition& relation) { return quoted(relation.schema, relation.name); }

std::string qualified_shard_name(const Definition& relation, std::int64_t shard_id) {
  return quoted(relation.schema, shard_name(relation.name, shard_id));
}

std::string regclass_literal(const Definition& relation) {
  return quote_literal(qualified_name(relation)) + "::regclass";
}

std::string schema_statement(const std::string& schema) {
  if (schema == catalog::public_schema) return {};
  return "CREATE SCHEMA IF NOT EXISTS " + quote_identifier(schema);
}

std::vector<std::string> shard_statements(const TableParts& shell, std::int64_t shard_id) {
  const TableParts parts = with_rows_of_shard(shell, shard_id);
  const std::string name = qualified_shard_name(*parts.table, shard_id);
  const auto suffixed = [shard_id](const std::string& part) { return shard_name(part, shard_id); };
  std::vector<std::string> statements{create_table(
      parts, name, [&](std::size_t i) { return plain_column(parts.table->columns[i]); }, suffixed)};
  add_indexes(parts, name, suffixed, statements);
  return statements;
}

std::string shard_foreign_key_statement(const Definition& table, std::int64_t shard_id, const catalog::ForeignKey& key,
                                        const Definition& referenced, std::int64_t referenced_shard_id) {
  return fmt::format(
      "ALTER TABLE {} ADD CONSTRAINT {} {}", qualified_shard_name(table, shard_id),
      quote_identifier(shard_name(key.name, shard_id)),
      catalog::foreign_key_text(key, table, referenced, qualified_shard_name(referenced, referenced_shard_id)));
}

std::string drop_tables_statement(const std::vector<std::string>& names, bool cascade) {
  return fmt::format("DROP TABLE IF EXISTS {}{}", fmt::join(names, ", "), cascade ? " CASCADE" : "");
}

std::string drop_shard_statement(const Definition& table, std::int64_t shard_id) {
  return fmt::format("DROP TABLE IF EXISTS {} CASCADE", qualified_shard_name(table, shard_id));
}

std::string view_statement(const Definition& view) {
  std::string columns;
  for (const Column& column : view.columns) columns += (columns.empty() ? "" : ", ") + quote_identifier(column.name);
  return fmt::format("CREATE OR REPLACE VIEW {} ({}) AS {}", qualified_name(view), columns, view.view.query);
}

std::string counting_default(const TableParts& parts, int column) {
  const auto position = static_cast<std::size_t>(column - 1);
  const UsedSequence* sequence = sequence_of(parts, position);
  if (sequence == nullptr || !counted_by(parts.table->columns.at(position).default_text)) return {};
  return nextval_default(*sequence->definition);
}

std::string copied_sequences_query(const std::string& schema, const std::optional<std::string>& name, int group) {
  return fmt::format(
      "SELECT sequencename FROM pg_catalog.pg_sequences WHERE schemaname = {}{} AND min_value IN ({}, {}, {})",
      quote_literal(schema), name ? " AND sequencename = " + quote_literal(*name) : "",
      bounds_for(TypeId::int2, group).low, bounds_for(TypeId::int4, group).low, bounds_for(TypeId::int8, group).low);
}

std::vector<std::string> sequence_statements(const Definition& sequence, int group) {
  std::vector<std::string> statements{fmt::format("CREATE SEQUENCE {} AS {} {}", qualified_name(sequence),
                                                  type_name(sequence.sequence.type),
                                                  sequence_options(sequence.sequence, group))};
  exhaust_if_needed(sequence, group, statements);
  return statements;
}

std::vector<std::string> shell_statements(const TableParts& parts, int group) {
  const Definition& table = *parts.table;
  std::vector<std::string> statements;
  std::vector<std::string> owners;
  for (const UsedSequence& used : parts.sequences) {
    if (!used.owned) continue;
    const Definition& sequence = *used.definition;
    const bool identity = table.columns[static_cast<std::size_t>(used.column - 1)].identity != Column::Identity::none;
    if (identity) {
      exhaust_if_needed(sequence, group, owners);  // the table makes it
      continue;
    }
    for (std::string& statement : sequence_statements(sequence, group)) statements.push_back(std::move(statement));
    owners.push_back(fmt::format("ALTER SEQUENCE {} OWNED BY {}.{}", qualified_name(sequence), qualified_name(table),
                                 quote_identifier(table.columns[static_cast<std::size_t>(used.column - 1)].name)));
  }
  const auto same = [](const std::string& part) { return part; };
  statements.push_back(create_table(
      parts, qualified_name(table), [&](std::size_t i) { return shell_column(parts, i, group); }, same));
  statements.insert(statements.end(), owners.begin(), owners.end());
  add_indexes(parts, qualified_name(table), same, statements);
  add_comments(parts, statements);
  return statements;
}

std::string foreign_key_statement(const Definition& table, const catalog::ForeignKey& key,
                                  const Definition& referenced) {
  return fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {}", qualified_name(table), quote_identifier(key.name),
                     catalog::foreign_key_text(key, table, referenced, qualified_name(referenced)));
}

}  // namespace polarsim::engine::cluster
