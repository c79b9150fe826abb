// Which common tables of WITH RECURSIVE refer to which, and whether recursion keeps to its form: checked on what was
// written, before anything is analysed (PostgreSQL's src/backend/parser/parse_cte.c).
#include <fmt/format.h>

#include <functional>

#include "engine/query/analysis_parts.h"
#include "engine/types/error.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::query {

namespace {

constexpr const char* invalid_recursion = "42P19";

// Where a reference to a recursive query stands, as far as that is a reason to refuse it.
enum class Place : std::uint8_t { fine, first_part, subquery, outer_join, intersect, except };

const char* words(Place place) {
  switch (place) {
    case Place::first_part:
      return "its non-recursive term";
    case Place::subquery:
      return "a subquery";
    case Place::outer_join:
      return "an outer join";
    case Place::intersect:
      return "INTERSECT";
    case Place::except:
      return "EXCEPT";
    case Place::fine:
      break;
  }
  return "";
}

// Finds the names of tables without a schema that no WITH inside has taken.
class References {
 public:
  using Found = std::function<void(const syntax::TableName& name, Place place)>;
  explicit References(Found found) : found_(std::move(found)) {}

  void body(const syntax::CommonTableBody& body, Place place) {
    if (body.select != nullptr) select(*body.select, place);
    if (body.insert != nullptr) insert(*body.insert, place);
    if (body.update != nullptr) update(*body.update, place);
    if (body.removal != nullptr) removal(*body.removal, place);
  }

  void select(const syntax::Select& tree, Place place) {
    check_stack_depth();
    const std::size_t hidden = hide(tree.with, place);
    if (tree.set_operator != syntax::SetOperator::none) {
      Place left = place;
      Place right = place;
      if (place == Place::fine && tree.set_operator == syntax::SetOperator::intersect && tree.set_all) {
        left = right = Place::intersect;
      } else if (place == Place::fine && tree.set_operator == syntax::SetOperator::except) {
        if (tree.set_all) left = Place::except;
        right = Place::except;
      }
      select(*tree.left, left);
      select(*tree.right, right);
    }
    for (const auto& row : tree.values) expressions(row, place);
    for (const syntax::SelectItem& item : tree.items) expression(item.expression, place);
    expressions(tree.distinct_on, place);
    for (const syntax::FromItemPtr& item : tree.from) from(*item, place);
    expression(tree.where, place);
    expressions(tree.group_by, place);
    expression(tree.having, place);
    for (const syntax::WindowSpecification& window : tree.windows) specification(window, place);
    order(tree.order_by, place);
    expression(tree.limit, place);
    expression(tree.offset, place);
    hidden_.resize(hidden);
  }

  // The names of a WITH are taken for what follows; gives what to go back to.
  std::size_t hide(const syntax::WithPtr& with, Place place) {
    const std::size_t before = hidden_.size();
    if (with == nullptr) return before;
    if (with->recursive) {
      for (const syntax::CommonTable& table : with->tables) hidden_.push_back(table.name);
    }
    for (const syntax::CommonTable& table : with->tables) {
      body(table.body, place);
      if (!with->recursive) hidden_.push_back(table.name);
    }
    return before;
  }

 private:
  void insert(const syntax::Insert& tree, Place place) {
    const std::size_t hidden = hide(tree.with, place);
    if (tree.source != nullptr) select(*tree.source, place);
    if (tree.on_conflict) {
      assignments(tree.on_conflict->assignments, place);
      expression(tree.on_conflict->where, place);
    }
    for (const syntax::SelectItem& item : tree.returning) expression(item.expression, place);
    hidden_.resize(hidden);
  }
  void update(const syntax::Update& tree, Place place) {
    const std::size_t hidden = hide(tree.with, place);
    assignments(tree.assignments, place);
    for (const syntax::FromItemPtr& item : tree.from) from(*item, place);
    expression(tree.where, place);
    for (const syntax::SelectItem& item : tree.returning) expression(item.expression, place);
    hidden_.resize(hidden);
  }
  void removal(const syntax::Delete& tree, Place place) {
    const std::size_t hidden = hide(tree.with, place);
    for (const syntax::FromItemPtr& item : tree.using_items) from(*item, place);
    expression(tree.where, place);
    for (const syntax::SelectItem& item : tree.returning) expression(item.expression, place);
    hidden_.resize(hidden);
  }
  void assignments(const std::vector<syntax::Assignment>& list, Place place) {
    for (const syntax::Assignment& assignment : list) expression(assignment.value, place);
  }

  void from(const syntax::FromItem& item, Place place) {
    check_stack_depth();
    if (const auto* table = std::get_if<syntax::TableName>(&item.source)) {
      if (!table->schema.empty()) return;
      for (const std::string_view name : hidden_) {
        if (name == table->name) return;
      }
      found_(*table, place);
    } else if (const auto* subquery = std::get_if<syntax::FromSubquery>(&item.source)) {
      select(*subquery->query, place);
    } else if (const auto* function = std::get_if<syntax::FromFunction>(&item.source)) {
      for (const syntax::FromFunction::Item& call : function->functions) expression(call.call, place);
    } else {
      const auto& join = std::get<syntax::FromJoin>(item.source);
      const bool nullable_left = join.kind == syntax::JoinKind::right || join.kind == syntax::JoinKind::full;
      const bool nullable_right = join.kind == syntax::JoinKind::left || join.kind == syntax::JoinKind::full;
      from(*join.left, place == Place::fine && nullable_left ? Place::outer_join : place);
      from(*join.right, place == Place::fine && nullable_right ? Place::outer_join : place);
      expression(join.condition, place);
    }
  }

  void expressions(const std::vector<syntax::ExpressionPtr>& list, Place place) {
    for (const syntax::ExpressionPtr& item : list) expression(item, place);
  }
  void order(const std::vector<syntax::OrderItem>& list, Place place) {
    for (const syntax::OrderItem& item : list) expression(item.expression, place);
  }
  void specification(const syntax::WindowSpecification& window, Place place) {
    expressions(window.partition_by, place);
    order(window.order_by, place);
    expression(window.start_offset, place);
    expression(window.end_offset, place);
  }
  void expression(const syntax::ExpressionPtr& tree, Place place) {
    if (tree == nullptr) return;
    expressions(tree->arguments, place);
    expression(tree->operand, place);
    for (const syntax::Expression::Subscript& subscript : tree->subscripts) {
      expression(subscript.lower, place);
      expression(subscript.upper, place);
    }
    if (tree->call != nullptr) {
      order(tree->call->order_by, place);
      expression(tree->call->filter, place);
      if (tree->call->over) specification(*tree->call->over, place);
    }
    if (tree->query != nullptr) select(*tree->query, place == Place::first_part ? place : Place::subquery);
  }

  Found found_;
  std::vector<std::string_view> hidden_;
};

}  // namespace

std::vector<std::size_t> order_common_tables(const syntax::With& with, std::vector<bool>& recursive) {
  const std::size_t count = with.tables.size();
  std::vector<std::vector<bool>> needs(count, std::vector<bool>(count, false));
  for (std::size_t i = 0; i < count; ++i) {
    References references([&](const syntax::TableName& name, Place) {
      for (std::size_t j = 0; j < count; ++j) {
        if (with.tables[j].name != name.name) continue;
        if (i == j) {
          recursive[i] = true;
        } else {
          needs[i][j] = true;
        }
      }
    });
    references.body(with.tables[i].body, Place::fine);
  }
  // As they were written, as far as what each needs comes before it.
  std::vector<std::size_t> order;
  std::vector<bool> done(count, false);
  while (order.size() < count) {
    std::size_t next = count;
    std::size_t first_left = count;
    for (std::size_t i = 0; i < count && next == count; ++i) {
      if (done[i]) continue;
      if (first_left == count) first_left = i;
      bool ready = true;
      for (std::size_t j = 0; j < count; ++j) ready = ready && (!needs[i][j] || done[j]);
      if (ready) next = i;
    }
    if (next == count) {
      throw SqlError(sqlstate::feature_not_supported, "mutual recursion between WITH items is not implemented")
          .at(with.tables[first_left].position);
    }
    done[next] = true;
    order.push_back(next);
  }
  return order;
}

void check_recursion(const syntax::CommonTable& table) {
  const auto refuse = [&](std::string message) {
    throw SqlError(invalid_recursion, std::move(message)).at(table.position);
  };
  if (table.body.select == nullptr) {
    refuse(fmt::format("recursive query \"{}\" must not contain data-modifying statements", table.name));
  }
  const syntax::Select& select = *table.body.select;
  if (select.set_operator != syntax::SetOperator::union_of) {
    refuse(fmt::format("recursive query \"{}\" does not have the form non-recursive-term UNION [ALL] recursive-term",
                       table.name));
  }
  int count = 0;
  References references([&](const syntax::TableName& name, Place place) {
    if (name.name != table.name) return;
    if (place != Place::fine) {
      throw SqlError(invalid_recursion, fmt::format("recursive reference to query \"{}\" must not appear within {}",
                                                    table.name, words(place)))
          .at(name.position);
    }
    if (++count > 1) {
      throw SqlError(invalid_recursion,
                     fmt::format("recursive reference to query \"{}\" must not appear more than once", table.name))
          .at(name.position);
    }
  });
  references.hide(select.with, Place::subquery);
  const auto not_implemented = [](const char* what, int position) {
    throw SqlError(sqlstate::feature_not_supported, fmt::format("{} in a recursive query is not implemented", what))
        .at(position);
  };
  if (!select.order_by.empty()) not_implemented("ORDER BY", select.order_by[0].expression->position);
  if (select.offset != nullptr) not_implemented("OFFSET", select.offset->position);
  if (select.limit != nullptr) not_implemented("LIMIT", select.limit->position);
  if (!select.locking.empty()) not_implemented("FOR UPDATE/SHARE", 0);
  references.select(*select.left, Place::first_part);
  references.select(*select.right, Place::fine);
}

}  // namespace polarsim::engine::query
