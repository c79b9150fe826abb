#include "engine/catalog/definition.h"

#include <fmt/format.h>

#include <concepts>
#include <limits>
#include <utility>

#include "engine/types/error.h"

namespace polarsim::engine::catalog {

POLARSIM_DEFINE_VALUE_TYPE(ForeignKey);
POLARSIM_DEFINE_VALUE_TYPE(Definition);

namespace {

constexpr const char* data_corrupted = "XX001";

// --- writing ---

class ObjectWriter {
 public:
  void add(const char* key, const std::string& value) {
    if (!value.empty()) members_.push_back({key, Json(value)});
  }
  void add(const char* key, std::int64_t value, std::int64_t usual = 0) {
    if (value != usual) members_.push_back({key, Json(Numeric(value))});
  }
  void add(const char* key, bool value) {
    if (value) members_.push_back({key, Json(true)});
  }
  void add(const char* key, const std::vector<int>& values) {
    Json::Elements elements;
    for (const int value : values) elements.emplace_back(Numeric(std::int64_t{value}));
    if (!elements.empty()) members_.push_back({key, Json(std::move(elements))});
  }
  // Exactly, as numbers of a JSON document are.
  template <std::floating_point Number>
  void add(const char* key, Number value) {
    if (value != 0) members_.push_back({key, number(value)});
  }
  void add(const char* key, const std::vector<float>& values) {
    Json::Elements elements;
    for (const float value : values) elements.push_back(number(value));
    if (!elements.empty()) members_.push_back({key, Json(std::move(elements))});
  }
  void add(const char* key, const std::vector<std::string>& values) {
    Json::Elements elements;
    for (const std::string& value : values) elements.emplace_back(value);
    if (!elements.empty()) members_.push_back({key, Json(std::move(elements))});
  }
  template <typename T>
  void add_each(const char* key, const std::vector<T>& values, Json (*write)(const T&)) {
    Json::Elements elements;
    for (const T& value : values) elements.push_back(write(value));
    if (!elements.empty()) members_.push_back({key, Json(std::move(elements))});
  }
  void add(const char* key, Json value) { members_.push_back({key, std::move(value)}); }
  Json finish() { return Json(std::move(members_)); }

 private:
  template <std::floating_point Number>
  static Json number(Number value) {
    return Json(Numeric::parse(fmt::format("{}", value)));
  }

  Json::Members members_;
};

void write_type(ObjectWriter& to, Type type) {
  to.add("type", std::int64_t{type_oid(type.id)});
  to.add("modifier", std::int64_t{type.modifier}, no_modifier);
}

template <typename Enum>
std::string letter(Enum value, Enum usual) {
  return value == usual ? std::string() : std::string(1, static_cast<char>(value));
}

Json write_column(const Column& column) {
  ObjectWriter to;
  to.add("name", column.name);
  write_type(to, column.type);
  to.add("not_null", column.not_null);
  to.add("default", column.default_text);
  to.add("generated", column.generated_text);
  to.add("identity", letter(column.identity, Column::Identity::none));
  to.add("dropped", column.dropped);
  if (column.missing) to.add("missing", Json(*column.missing));
  to.add("comment", column.comment);
  return to.finish();
}

Json write_check(const Check& check) {
  ObjectWriter to;
  to.add("name", check.name);
  to.add("condition", check.condition);
  to.add("id", std::int64_t{check.id});
  to.add("not_valid", !check.validated);
  to.add("no_inherit", check.no_inherit);
  return to.finish();
}

Json write_foreign_key(const ForeignKey& key) {
  ObjectWriter to;
  to.add("name", key.name);
  to.add("columns", key.columns);
  to.add("id", std::int64_t{key.id});
  to.add("referenced", std::int64_t{key.referenced});
  if (key.rows_in != 0) to.add("rows_in", std::int64_t{key.rows_in});
  to.add("referenced_columns", key.referenced_columns);
  to.add("on_delete", letter(key.on_delete, ForeignKey::Action::no_action));
  to.add("on_update", letter(key.on_update, ForeignKey::Action::no_action));
  to.add("on_delete_columns", key.on_delete_columns);
  to.add("match_full", key.match_full);
  to.add("deferrable", key.deferrable);
  to.add("initially_deferred", key.initially_deferred);
  to.add("not_valid", !key.validated);
  return to.finish();
}

Json write_column_statistics(const ColumnStatistics& statistics) {
  ObjectWriter to;
  to.add("column", std::int64_t{statistics.column});
  to.add("null_fraction", statistics.null_fraction);
  to.add("distinct", statistics.distinct);
  to.add("average_width", std::int64_t{statistics.average_width});
  to.add("most_common", statistics.most_common);
  to.add("frequencies", statistics.most_common_frequencies);
  to.add("histogram", statistics.histogram);
  to.add("correlation", statistics.correlation);
  return to.finish();
}

Json write_statistics(const TableStatistics& statistics) {
  ObjectWriter to;
  to.add("pages", statistics.pages);
  to.add("rows", statistics.rows);
  to.add_each("columns", statistics.columns, write_column_statistics);
  return to.finish();
}

Json write_index_key(const IndexProperties::Key& key) {
  ObjectWriter to;
  to.add("column", std::int64_t{key.column});
  to.add("expression", key.expression);
  write_type(to, key.type);
  to.add("collation", key.collation);
  to.add("operator_class", key.operator_class);
  to.add("descending", key.descending);
  to.add("nulls_first", key.nulls_first);
  return to.finish();
}

void write_index(ObjectWriter& to, const IndexProperties& index) {
  to.add("table", std::int64_t{index.table});
  to.add_each("keys", index.keys, write_index_key);
  to.add("included", index.included);
  to.add("unique", index.unique);
  to.add("primary", index.primary);
  to.add("constraint", index.constraint);
  to.add("nulls_not_distinct", index.nulls_not_distinct);
  to.add("predicate", index.predicate);
}

void write_sequence(ObjectWriter& to, const SequenceProperties& sequence) {
  to.add("type", std::int64_t{type_oid(sequence.type)});
  to.add("start", sequence.parameters.start);
  to.add("increment", sequence.parameters.increment);
  to.add("minimum", sequence.parameters.minimum);
  to.add("maximum", sequence.parameters.maximum);
  to.add("cycle", sequence.parameters.cycle);
  to.add("owner", std::int64_t{sequence.owner});
  to.add("owner_column", std::int64_t{sequence.owner_column});
}

void write_view(ObjectWriter& to, const ViewProperties& view) {
  to.add("query", view.query);
  Json::Elements uses;
  for (const RelationId id : view.uses) uses.emplace_back(Numeric(std::int64_t{id}));
  if (!uses.empty()) to.add("uses", Json(std::move(uses)));
  Json::Elements columns;
  for (const RelationId number : view.columns) columns.emplace_back(Numeric(std::int64_t{number}));
  if (!columns.empty()) to.add("view_columns", Json(std::move(columns)));
}

// --- reading ---

[[noreturn]] void refuse(std::string_view what) {
  throw SqlError(data_corrupted, fmt::format("a relation's definition in the catalog is not understood: {}", what));
}

class ObjectReader {
 public:
  explicit ObjectReader(const Json& object) : object_(object) {
    if (!object.is_object()) refuse("not an object");
  }
  std::string text(const char* key) const {
    const Json* const found = object_.find(key);
    if (found == nullptr) return {};
    if (!found->is_string()) refuse(key);
    return found->as_string();
  }
  std::int64_t number(const char* key, std::int64_t usual = 0) const {
    const Json* const found = object_.find(key);
    return found == nullptr ? usual : number_in(*found, key);
  }
  RelationId id(const char* key) const { return static_cast<RelationId>(number(key)); }
  bool flag(const char* key) const {
    const Json* const found = object_.find(key);
    if (found == nullptr) return false;
    if (!found->is_boolean()) refuse(key);
    return found->as_boolean();
  }
  template <typename Enum>
  Enum letter(const char* key, Enum usual) const {
    const std::string found = text(key);
    return found.empty() ? usual : static_cast<Enum>(found.front());
  }
  Type type() const {
    return {type_from_oid(static_cast<std::uint32_t>(number("type"))),
            static_cast<std::int32_t>(number("modifier", no_modifier))};
  }
  template <typename T>
  std::vector<T> numbers(const char* key) const {
    std::vector<T> result;
    for (const Json& element : elements(key)) result.push_back(static_cast<T>(number_in(element, key)));
    return result;
  }
  double real(const char* key) const {
    const Json* const found = object_.find(key);
    return found == nullptr ? 0 : real_in(*found, key);
  }
  float single(const char* key) const { return static_cast<float>(real(key)); }
  std::vector<float> singles(const char* key) const {
    std::vector<float> result;
    for (const Json& element : elements(key)) result.push_back(static_cast<float>(real_in(element, key)));
    return result;
  }
  std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> result;
    for (const Json& element : elements(key)) {
      if (!element.is_string()) refuse(key);
      result.push_back(element.as_string());
    }
    return result;
  }
  const Json* find(const char* key) const { return object_.find(key); }
  template <typename T>
  std::vector<T> each(const char* key, T (*read)(const ObjectReader&)) const {
    std::vector<T> result;
    for (const Json& element : elements(key)) result.push_back(read(ObjectReader(element)));
    return result;
  }
  std::optional<std::string> optional_text(const char* key) const {
    if (object_.find(key) == nullptr) return std::nullopt;
    return text(key);
  }

 private:
  static std::int64_t number_in(const Json& value, const char* key) {
    if (!value.is_number()) refuse(key);
    return value.as_number().to_int8();
  }
  static double real_in(const Json& value, const char* key) {
    if (!value.is_number()) refuse(key);
    return value.as_number().to_double();
  }
  const Json::Elements& elements(const char* key) const {
    static const Json::Elements none;
    const Json* const found = object_.find(key);
    if (found == nullptr) return none;
    if (!found->is_array()) refuse(key);
    return found->elements();
  }
  const Json& object_;
};

Column read_column(const ObjectReader& from) {
  Column column;
  column.name = from.text("name");
  column.type = from.type();
  column.not_null = from.flag("not_null");
  column.default_text = from.text("default");
  column.generated_text = from.text("generated");
  column.identity = from.letter("identity", Column::Identity::none);
  column.dropped = from.flag("dropped");
  column.missing = from.optional_text("missing");
  column.comment = from.text("comment");
  return column;
}

Check read_check(const ObjectReader& from) {
  return {from.text("name"), from.text("condition"), !from.flag("not_valid"), from.id("id"), from.flag("no_inherit")};
}

ForeignKey read_foreign_key(const ObjectReader& from) {
  ForeignKey key;
  key.name = from.text("name");
  key.columns = from.numbers<int>("columns");
  key.id = from.id("id");
  key.referenced = from.id("referenced");
  key.rows_in = from.id("rows_in");
  key.referenced_columns = from.numbers<int>("referenced_columns");
  key.on_delete = from.letter("on_delete", ForeignKey::Action::no_action);
  key.on_update = from.letter("on_update", ForeignKey::Action::no_action);
  key.on_delete_columns = from.numbers<int>("on_delete_columns");
  key.match_full = from.flag("match_full");
  key.deferrable = from.flag("deferrable");
  key.initially_deferred = from.flag("initially_deferred");
  key.validated = !from.flag("not_valid");
  return key;
}

ColumnStatistics read_column_statistics(const ObjectReader& from) {
  ColumnStatistics statistics;
  statistics.column = static_cast<int>(from.number("column"));
  statistics.null_fraction = from.single("null_fraction");
  statistics.distinct = from.single("distinct");
  statistics.average_width = static_cast<int>(from.number("average_width"));
  statistics.most_common = from.texts("most_common");
  statistics.most_common_frequencies = from.singles("frequencies");
  statistics.histogram = from.texts("histogram");
  statistics.correlation = from.single("correlation");
  return statistics;
}

TableStatistics read_statistics(const ObjectReader& from) {
  return {from.real("pages"), from.real("rows"), from.each("columns", read_column_statistics)};
}

IndexProperties::Key read_index_key(const ObjectReader& from) {
  IndexProperties::Key key;
  key.column = static_cast<int>(from.number("column"));
  key.expression = from.text("expression");
  key.type = from.type();
  key.collation = from.text("collation");
  key.operator_class = from.text("operator_class");
  key.descending = from.flag("descending");
  key.nulls_first = from.flag("nulls_first");
  return key;
}

IndexProperties read_index(const ObjectReader& from) {
  IndexProperties index;
  index.table = from.id("table");
  index.keys = from.each("keys", read_index_key);
  index.included = from.numbers<int>("included");
  index.unique = from.flag("unique");
  index.primary = from.flag("primary");
  index.constraint = from.flag("constraint");
  index.nulls_not_distinct = from.flag("nulls_not_distinct");
  index.predicate = from.text("predicate");
  return index;
}

SequenceProperties read_sequence(const ObjectReader& from) {
  SequenceProperties sequence;
  sequence.type = from.type().id;
  sequence.parameters.start = from.number("start");
  sequence.parameters.increment = from.number("increment");
  sequence.parameters.minimum = from.number("minimum");
  sequence.parameters.maximum = from.number("maximum");
  sequence.parameters.cycle = from.flag("cycle");
  sequence.owner = from.id("owner");
  sequence.owner_column = static_cast<int>(from.number("owner_column"));
  return sequence;
}

}  // namespace

const char* to_string(RelationKind kind) {
  switch (kind) {
    case RelationKind::table:
      return "table";
    case RelationKind::index:
      return "index";
    case RelationKind::sequence:
      return "sequence";
    case RelationKind::view:
      return "view";
    case RelationKind::schema:
      return "schema";
  }
  return "relation";
}

int Definition::find_column(std::string_view column) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!columns[i].dropped && columns[i].name == column) return static_cast<int>(i) + 1;
  }
  return 0;
}

Json to_json(const Definition& definition) {
  ObjectWriter to;
  to.add_each("columns", definition.columns, write_column);
  to.add_each("checks", definition.checks, write_check);
  to.add_each("foreign_keys", definition.foreign_keys, write_foreign_key);
  if (definition.statistics) to.add("statistics", write_statistics(*definition.statistics));
  to.add("comment", definition.comment);
  to.add("options", definition.options);
  if (definition.kind == RelationKind::index) write_index(to, definition.index);
  if (definition.kind == RelationKind::sequence) write_sequence(to, definition.sequence);
  if (definition.kind == RelationKind::view) write_view(to, definition.view);
  return to.finish();
}

Definition from_json(RelationKind kind, std::string schema, std::string name, const Json& document) {
  const ObjectReader from(document);
  Definition definition;
  definition.kind = kind;
  definition.schema = std::move(schema);
  definition.name = std::move(name);
  definition.columns = from.each("columns", read_column);
  definition.checks = from.each("checks", read_check);
  definition.foreign_keys = from.each("foreign_keys", read_foreign_key);
  if (const Json* const statistics = from.find("statistics"))
    definition.statistics = read_statistics(ObjectReader(*statistics));
  definition.comment = from.text("comment");
  definition.options = from.texts("options");
  if (kind == RelationKind::index) definition.index = read_index(from);
  if (kind == RelationKind::sequence) definition.sequence = read_sequence(from);
  if (kind == RelationKind::view)
    definition.view = {from.text("query"), from.numbers<RelationId>("uses"), from.numbers<RelationId>("view_columns")};
  return definition;
}

}  // namespace polarsim::engine::catalog
