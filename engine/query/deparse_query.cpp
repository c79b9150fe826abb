#include <algorithm>

#include "engine/query/deparse_writer.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::query {
namespace {

// What a view is made from has had entries of these names since PostgreSQL's rules.
constexpr std::string_view names_of_rules[] = {"old", "new"};

int indentation(int level) {
  constexpr int limit = 40;
  if (level < limit) return std::max(level, 0);
  return (limit + (level - limit) / 4) % limit;
}

// SELECT of all columns of VALUES, under their names, is written as VALUES.
const ValuesSource* values_of(const Query& query, const std::vector<std::string>* names) {
  if (query.command != Command::select || query.from.size() != 1 || !query.from[0]->is_leaf()) return nullptr;
  const RangeTableEntry& entry = query.entries[static_cast<std::size_t>(query.from[0]->entry)];
  const auto* values = std::get_if<ValuesSource>(&entry.source);
  if (values == nullptr || query.entries.size() != 1 || query.targets.size() != entry.columns.size()) return nullptr;
  for (std::size_t i = 0; i < query.targets.size(); ++i) {
    const Target& target = query.targets[i];
    const std::string& name = names != nullptr && i < names->size() ? (*names)[i] : target.name;
    if (target.hidden || target.expression->as<Column>() == nullptr || name != entry.columns[i].name) return nullptr;
  }
  return values;
}

// Whether the text shows without GROUP BY that the query has one group: it has HAVING, or puts out an aggregate. Those
// that it was recognised by may be gone: constants were put in their places, nobody asked for their columns, or only
// ORDER BY had them.
bool shows_one_group(const Query& query) {
  if (query.having) return true;
  return std::any_of(query.targets.begin(), query.targets.end(), [](const Target& target) {
    if (target.hidden) return false;
    bool found = false;
    walk(target.expression, [&](const Expression& each, int levels) {
      const auto* aggregate = each.as<Aggregate>();
      found = found || (aggregate != nullptr && aggregate->levels_up == levels);
      return !found;
    });
    return found;
  });
}

bool needs_brackets_in_set_operation(const Query& query) {
  return !query.common_tables.empty() || !query.order_by.empty() || !query.row_marks.empty() || query.offset ||
         query.limit || query.set_operation;
}

}  // namespace

void Writer::remove_trailing_spaces() {
  while (!text_.empty() && text_.back() == ' ') text_.pop_back();
}

void Writer::put_keyword(std::string_view keyword, int indent_before, int indent_after, int indent_plus) {
  if (!style_.indent) return put(keyword);
  indent_ += indent_before;
  remove_trailing_spaces();
  text_ += '\n';
  text_.append(static_cast<std::size_t>(indentation(indent_) + indent_plus), ' ');
  put(keyword);
  indent_ = std::max(indent_ + indent_after, 0);
}

void Writer::put_item_on_line(std::string before, bool break_before) {
  std::string item = std::exchange(text_, std::move(before));
  if (style_.indent) {
    if (item.starts_with('\n')) {
      remove_trailing_spaces();
    } else if (break_before) {
      put_keyword("", -standard, standard, of_variable);
    }
  }
  text_ += item;
}

void Writer::write_query(const Query& query, const std::vector<std::string>* names, bool names_are_visible) {
  check_stack_depth();
  const bool is_view = names_.empty() && !style_.for_nodes;
  QueryNames chosen =
      choose_names(query, names_, taken_,
                   is_view ? std::span<const std::string_view>(names_of_rules) : std::span<const std::string_view>());
  const bool outer_prefixed = std::exchange(prefixed_, true);
  const int outer_indent = indent_;
  names_.push_back(std::move(chosen));
  open_joins_.emplace_back();
  switch (query.command) {
    case Command::select:
      write_select(query, names, names_are_visible);
      break;
    case Command::insert:
      write_insert(query);
      break;
    case Command::update:
      write_update(query);
      break;
    case Command::remove:
      write_delete(query);
      break;
  }
  open_joins_.pop_back();
  give_back_names(names_.back(), taken_);
  names_.pop_back();
  indent_ = outer_indent;
  prefixed_ = outer_prefixed;
}

namespace {

// Of a set operation: the query that gives its columns their names.
const Query& first_leaf(const Query& query) {
  const SetOperation* operation = query.set_operation.get();
  while (!operation->is_leaf()) operation = operation->left.get();
  const RangeTableEntry& entry = query.entries[static_cast<std::size_t>(operation->entry)];
  return *std::get<SubquerySource>(entry.source).query;
}

}  // namespace

void Writer::write_select(const Query& query, const std::vector<std::string>* names, bool names_are_visible) {
  write_common_tables(query);
  if (query.set_operation) {
    // A view's columns have names of their own, which its first query does not know.
    const std::vector<std::string> own = output_names(query);
    const bool renamed = names == nullptr && style_.for_nodes && own != output_names(first_leaf(query));
    write_set_operation(*query.set_operation, query, renamed ? &own : names, names_are_visible);
  } else {
    write_basic_select(query, names, names_are_visible);
  }
  if (!query.order_by.empty()) {
    const bool nameless = (style_.for_nodes || options_.read_again) && values_of(query, names) != nullptr;
    put_keyword(" ORDER BY ", -standard, standard, 1);
    write_order(query, query.order_by, query.set_operation != nullptr || nameless);
  }
  write_limit(query);
  write_row_marks(query);
}

void Writer::write_limit(const Query& query) {
  if (query.offset) {
    put_keyword(" OFFSET ", -standard, standard, 0);
    write(*query.offset, false);
  }
  if (!query.limit) return;
  if (query.with_ties) {
    put_keyword(" FETCH FIRST ", -standard, standard, 0);
    put("(");
    write(*query.limit, false);
    put(") ROWS WITH TIES");
    return;
  }
  put_keyword(" LIMIT ", -standard, standard, 0);
  const auto* constant = query.limit->as<Constant>();
  if (constant != nullptr && constant->value.is_null()) return put("ALL");
  write(*query.limit, false);
}

void Writer::write_row_marks(const Query& query) {
  for (const RowMark& mark : query.row_marks) {
    if (mark.strength == syntax::LockStrength::none) continue;
    static constexpr const char* clauses[] = {"", " FOR KEY SHARE", " FOR SHARE", " FOR NO KEY UPDATE", " FOR UPDATE"};
    put_keyword(clauses[static_cast<std::size_t>(mark.strength)], -standard, standard, 0);
    put(" OF ");
    put_name(names_at(0).entries[static_cast<std::size_t>(mark.entry)].name);
    if (mark.wait == syntax::LockWait::nowait) put(" NOWAIT");
    if (mark.wait == syntax::LockWait::skip_locked) put(" SKIP LOCKED");
  }
}

void Writer::write_basic_select(const Query& query, const std::vector<std::string>* names, bool names_are_visible) {
  if (style_.indent) {
    indent_ += standard;
    put(" ");
  }
  if (const ValuesSource* values = values_of(query, names)) return write_values(*values);
  put("SELECT");
  if (!query.distinct_on.empty()) {
    put(" DISTINCT ON (");
    for (std::size_t i = 0; i < query.distinct_on.size(); ++i) {
      if (i > 0) put(", ");
      write_sort_target(query, query.distinct_on[i].target, false);
    }
    put(")");
  } else if (query.distinct) {
    put(" DISTINCT");
  }
  write_targets(query.targets, names, names_are_visible);
  write_from(query, " FROM ", nullptr);
  if (query.where) {
    put_keyword(" WHERE ", -standard, standard, 1);
    write(*query.where, false);
  }
  write_group_by(query);
  if (query.having) {
    put_keyword(" HAVING ", -standard, standard, 0);
    write(*query.having, false);
  }
  bool first = true;
  for (const Window& window : query.windows) {
    if (window.name.empty()) continue;
    if (first) {
      put_keyword(" WINDOW ", -standard, standard, 1);
    } else {
      put(", ");
    }
    first = false;
    put_name(window.name);
    put(" AS ");
    write_window(query, window);
  }
}

void Writer::write_group_by(const Query& query) {
  const bool has_groups = !query.group_by.empty() || !query.grouping_sets.empty();
  const bool one_group = !has_groups && style_.for_nodes && query.grouped && !shows_one_group(query);
  if (!has_groups && !one_group) return;
  put_keyword(" GROUP BY ", -standard, standard, 1);
  if (query.group_by.empty() && query.grouping_sets.size() <= 1) return put("()");
  if (query.grouping_sets.empty()) {
    for (std::size_t i = 0; i < query.group_by.size(); ++i) {
      if (i > 0) put(", ");
      write_sort_target(query, query.group_by[i], false);
    }
    return;
  }
  put("GROUPING SETS (");
  for (std::size_t i = 0; i < query.grouping_sets.size(); ++i) {
    put(i > 0 ? ", (" : "(");
    const std::vector<int>& set = query.grouping_sets[i];
    for (std::size_t j = 0; j < set.size(); ++j) {
      if (j > 0) put(", ");
      write_sort_target(query, query.group_by[static_cast<std::size_t>(set[j])], false);
    }
    put(")");
  }
  put(")");
}

void Writer::write_targets(const std::vector<Target>& targets, const std::vector<std::string>* names,
                           bool names_are_visible) {
  const char* separator = " ";
  std::size_t number = 0;
  for (const Target& target : targets) {
    if (target.hidden) continue;
    put(separator);
    separator = ", ";
    std::string before = std::exchange(text_, "");
    std::string shown = names_are_visible ? "" : "?column?";
    if (const auto* column = target.expression->as<Column>()) {
      write_column(*column, *target.expression, true);
      shown = text_.substr(text_.rfind('.') == std::string::npos ? 0 : text_.rfind('.') + 1);
    } else {
      write(*target.expression, true);
    }
    const std::string& name = names != nullptr && number < names->size() ? (*names)[number] : target.name;
    std::string quoted = std::exchange(text_, "");
    put_name(name);
    std::swap(quoted, text_);
    const bool same = target.expression->as<Column>() ? shown == quoted : shown == name;
    if (!same) put(" AS " + quoted);
    put_item_on_line(std::move(before), number > 0);
    ++number;
  }
}

void Writer::write_values(const ValuesSource& values) {
  put("VALUES ");
  for (std::size_t i = 0; i < values.rows.size(); ++i) {
    put(i > 0 ? ", (" : "(");
    for (std::size_t j = 0; j < values.rows[i].size(); ++j) {
      if (j > 0) put(",");
      write(*values.rows[i][j], false);
    }
    put(")");
  }
}

void Writer::write_common_tables(const Query& query) {
  if (query.common_tables.empty()) return;
  if (style_.indent) {
    indent_ += standard;
    put(" ");
  }
  const bool recursive = std::any_of(query.common_tables.begin(), query.common_tables.end(),
                                     [](const CommonTable& each) { return each.recursive; });
  put(recursive ? "WITH RECURSIVE " : "WITH ");
  for (std::size_t i = 0; i < query.common_tables.size(); ++i) {
    const CommonTable& table = query.common_tables[i];
    if (i > 0) put(", ");
    put_name(table.name);
    const std::vector<std::string> own = output_names(*table.query);
    bool renamed = own.size() != table.columns.size();
    for (std::size_t j = 0; !renamed && j < own.size(); ++j) renamed = own[j] != table.columns[j].name;
    for (std::size_t j = 0; renamed && j < table.columns.size(); ++j) {
      put(j > 0 ? ", " : "(");
      put_name(table.columns[j].name);
      if (j + 1 == table.columns.size()) put(")");
    }
    put(" AS ");
    if (table.materialized == CommonTable::Materialized::always) put("MATERIALIZED ");
    if (table.materialized == CommonTable::Materialized::never) put("NOT MATERIALIZED ");
    put("(");
    if (style_.indent) put_keyword("", 0, 0, 0);
    write_query(*table.query, nullptr, true);
    if (style_.indent) put_keyword("", 0, 0, 0);
    put(")");
  }
  if (style_.indent) {
    indent_ -= standard;
    put_keyword("", 0, 0, 0);
  } else {
    put(" ");
  }
}

void Writer::write_set_operation(const SetOperation& operation, const Query& query,
                                 const std::vector<std::string>* names, bool names_are_visible) {
  check_stack_depth();
  if (operation.is_leaf()) {
    const RangeTableEntry& entry = query.entries[static_cast<std::size_t>(operation.entry)];
    const Query& leaf = *std::get<SubquerySource>(entry.source).query;
    const bool brackets = needs_brackets_in_set_operation(leaf);
    if (brackets) put("(");
    write_query(leaf, names, names_are_visible);
    if (brackets) put(")");
    return;
  }
  const SetOperation& left = *operation.left;
  const bool left_brackets = !left.is_leaf() && (left.kind != operation.kind || left.all != operation.all);
  const int left_indent = left_brackets ? standard : 0;
  if (left_brackets) {
    put("(");
    put_keyword("", left_indent, 0, 0);
  }
  write_set_operation(left, query, names, names_are_visible);
  if (left_brackets) {
    put_keyword(") ", -left_indent, 0, 0);
  } else if (style_.indent) {
    put_keyword("", 0, 0, 0);
  } else {
    put(" ");
  }
  switch (operation.kind) {
    case SetOperator::intersect:
      put("INTERSECT ");
      break;
    case SetOperator::except:
      put("EXCEPT ");
      break;
    default:
      put("UNION ");
  }
  if (operation.all) put("ALL ");
  const bool right_brackets = !operation.right->is_leaf();
  const int right_indent = right_brackets ? standard : 0;
  if (right_brackets) put("(");
  put_keyword("", right_indent, 0, 0);
  write_set_operation(*operation.right, query, names, false);
  if (style_.indent) indent_ -= right_indent;
  if (right_brackets) put_keyword(")", 0, 0, 0);
}

// --- ORDER BY, GROUP BY, windows ---

void Writer::write_sort_target(const Query& query, int target, bool by_number) {
  const auto index = static_cast<std::size_t>(target);
  if (by_number) return put(std::to_string(index + 1));
  write_sort_expression(*query.targets[index].expression);
}

void Writer::write_sort_expression(const Expression& expression) {
  // A bare number would be the number of a column.
  if (const auto* constant = expression.as<Constant>())
    return write_constant(constant->value, expression.type, Label::always);
  const auto* conversion = expression.as<Convert>();
  const bool by_function = conversion != nullptr &&
                           (conversion->conversion.kind == Conversion::Kind::function || has_modifier(expression.type));
  const bool function_like =
      expression.as<Call>() || expression.as<Aggregate>() || expression.as<WindowCall>() || by_function;
  const bool brackets = !expression.as<Column>() && (style_.fewer_brackets || function_like);
  if (brackets) put("(");
  write(expression, true);
  if (brackets) put(")");
}

void Writer::write_order_suffix(bool descending, bool nulls_first) {
  if (descending) put(nulls_first ? " DESC" : " DESC NULLS LAST");
  if (!descending && nulls_first) put(" NULLS FIRST");
}

void Writer::write_order(const Query& query, const std::vector<SortClause>& order, bool by_number) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0) put(", ");
    write_sort_target(query, order[i].target, by_number);
    write_order_suffix(order[i].descending, order[i].nulls_first);
  }
}

void Writer::write_window(const Query& query, const Window& window) {
  put("(");
  const char* separator = "";
  if (!window.partition_by.empty()) {
    put("PARTITION BY ");
    for (std::size_t i = 0; i < window.partition_by.size(); ++i) {
      if (i > 0) put(", ");
      write_sort_target(query, window.partition_by[i], false);
    }
    separator = " ";
  }
  if (!window.order_by.empty()) {
    put(separator);
    put("ORDER BY ");
    write_order(query, window.order_by, false);
    separator = " ";
  }
  const bool is_default = window.mode == Window::Mode::range && window.start == Window::Bound::unbounded_preceding &&
                          window.end == Window::Bound::current_row && window.exclusion == Window::Exclusion::nothing;
  if (!is_default) {
    put(separator);
    write_frame(window);
  }
  put(")");
}

void Writer::write_bound(Window::Bound bound, const ExpressionPtr& offset) {
  using enum syntax::WindowSpecification::Bound;
  if (offset) write(*offset, false);
  switch (bound) {
    case unbounded_preceding:
      return put("UNBOUNDED PRECEDING");
    case preceding:
      return put(" PRECEDING");
    case current_row:
      return put("CURRENT ROW");
    case following:
      return put(" FOLLOWING");
    case unbounded_following:
      return put("UNBOUNDED FOLLOWING");
  }
}

void Writer::write_frame(const Window& window) {
  static constexpr const char* modes[] = {"RANGE", "ROWS", "GROUPS"};
  static constexpr const char* exclusions[] = {"", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES"};
  put(modes[static_cast<std::size_t>(window.mode)]);
  put(" BETWEEN ");
  write_bound(window.start, window.start_offset);
  put(" AND ");
  write_bound(window.end, window.end_offset);
  put(exclusions[static_cast<std::size_t>(window.exclusion)]);
}

}  // namespace polarsim::engine::query
