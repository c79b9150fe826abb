#include "engine/distribution/sequence_calls.h"

#include <algorithm>
#include <string_view>

#include "engine/distribution/entries.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;
using query::Query;
using query::QueryPtr;
using query::Target;

bool is_sequence_call(const query::Expression& expression) {
  const auto* call = expression.as<query::Call>();
  if (call == nullptr) return false;
  const std::string_view name = call->function->name;
  return name == "nextval" || name == "currval" || name == "setval" || name == "lastval";
}

// Other nodes need not have an object of that name.
bool is_object(const query::Expression& expression) {
  const TypeId type = expression.type.id;
  return expression.as<query::Constant>() != nullptr && (type == TypeId::regclass || type == TypeId::regnamespace);
}

// Whether a sequence is called or a relation or schema is meant; queries in it included.
bool is_of_session(const ExpressionPtr& expression) {
  bool found = false;
  query::walk(expression, [&](const query::Expression& each, int) {
    found = found || is_sequence_call(each) || is_object(each);
    return !found;
  });
  return found;
}

bool is_set_call(const query::Expression& expression) {
  const auto* call = expression.as<query::Call>();
  return call != nullptr && call->function->kind == FunctionKind::set;
}

// What is a value of the row, or of its group, and no expression over such.
bool is_of_rows(const query::Expression& expression) {
  return expression.as<query::Column>() != nullptr || expression.as<query::Aggregate>() != nullptr ||
         expression.as<query::GroupingCall>() != nullptr || expression.as<query::WindowCall>() != nullptr ||
         expression.as<query::Subquery>() != nullptr || is_set_call(expression);
}

class Splitter {
 public:
  explicit Splitter(const Query& query) : query_(query), inner_(std::make_shared<Query>(query)) {}

  std::optional<SequenceTargets> run() {
    if (!possible()) return std::nullopt;
    inner_->targets.clear();
    std::vector<int> place(query_.targets.size(), -1);
    for (std::size_t i = 0; i < query_.targets.size(); ++i) {
      if (is_of_session(query_.targets[i].expression)) continue;
      place[i] = static_cast<int>(inner_->targets.size());
      inner_->targets.push_back(query_.targets[i]);
    }
    move_clauses(place);
    SequenceTargets result;
    for (std::size_t i = 0; i < query_.targets.size(); ++i) {
      Target target = query_.targets[i];
      if (target.hidden) continue;
      target.expression = place[i] >= 0 ? column_of(place[i]) : over_rows(target.expression);
      result.targets.push_back(std::move(target));
    }
    // Rows count even if nothing of them is wanted.
    if (next_visible_ == 0 && visible_before(inner_->targets.size()) == 0)
      add(query::make_expression(query::Constant{Value::integer(1)}, TypeId::int4));
    result.query = std::move(inner_);
    return result;
  }

 private:
  bool possible() const {
    if (query_.set_operation || query_.distinct || !query_.distinct_on.empty()) return false;
    bool any = false;
    for (const Target& target : query_.targets) {
      if (!is_of_session(target.expression)) continue;
      if (target.hidden || !can_be_split(target.expression)) return false;
      any = true;
    }
    const auto calls = [&](int target) {
      return is_of_session(query_.targets[static_cast<std::size_t>(target)].expression);
    };
    for (const int group : query_.group_by) any = any && !calls(group);
    for (const query::SortClause& clause : query_.order_by) any = any && !calls(clause.target);
    for (const query::Window& window : query_.windows) {
      for (const int target : window.partition_by) any = any && !calls(target);
      for (const query::SortClause& clause : window.order_by) any = any && !calls(clause.target);
    }
    return any;
  }

  // Whether no call is inside what the query has to compute itself.
  static bool can_be_split(const ExpressionPtr& expression) {
    if (is_of_rows(*expression)) return !is_of_session(expression);
    bool can = true;
    query::for_each_child(*expression, [&](const ExpressionPtr& child) { can = can && can_be_split(child); });
    return can;
  }

  void move_clauses(const std::vector<int>& place) {
    const auto move = [&](int& target) { target = place[static_cast<std::size_t>(target)]; };
    for (int& target : inner_->group_by) move(target);
    for (query::SortClause& clause : inner_->order_by) move(clause.target);
    for (query::Window& window : inner_->windows) {
      for (int& target : window.partition_by) move(target);
      for (query::SortClause& clause : window.order_by) move(clause.target);
    }
  }

  int visible_before(std::size_t position) const {
    return static_cast<int>(std::count_if(inner_->targets.begin(),
                                          inner_->targets.begin() + static_cast<std::ptrdiff_t>(position),
                                          [](const Target& target) { return !target.hidden; }));
  }

  ExpressionPtr column_of(int position) const {
    const auto index = static_cast<std::size_t>(position);
    return query::make_expression(query::Column{0, visible_before(index) + 1, 0},
                                  inner_->targets[index].expression->type);
  }

  ExpressionPtr add(const ExpressionPtr& expression) {
    Target target;
    target.expression = expression;
    target.name = "sequence_column_" + std::to_string(++next_visible_);
    inner_->targets.push_back(std::move(target));
    return column_of(static_cast<int>(inner_->targets.size()) - 1);
  }

  ExpressionPtr over_rows(const ExpressionPtr& expression) {
    const bool grouped = std::any_of(query_.group_by.begin(), query_.group_by.end(), [&](int group) {
      return query::equal(query_.targets[static_cast<std::size_t>(group)].expression, expression);
    });
    if (grouped || is_of_rows(*expression)) return add(expression);
    return query::map_children(expression, [&](const ExpressionPtr& child) { return over_rows(child); });
  }

  const Query& query_;
  std::shared_ptr<Query> inner_;
  int next_visible_ = 0;
};

}  // namespace

bool calls_sequences(const Query& query) {
  bool found = false;
  query::walk(query, [&](const query::Expression& each, int) {
    found = found || is_sequence_call(each);
    return !found;
  });
  return found;
}

std::optional<SequenceTargets> split_sequence_targets(const QueryPtr& query) { return Splitter(*query).run(); }

const Query* find_query_of_sequences(const Query& query) {
  for (const query::RangeTableEntry& entry : query.entries) {
    const auto* source = std::get_if<query::SubquerySource>(&entry.source);
    if (source == nullptr) continue;
    const Query& inner = *source->query;
    const bool in_targets = std::any_of(inner.targets.begin(), inner.targets.end(),
                                        [](const Target& target) { return is_of_session(target.expression); });
    if (in_targets && !is_correlated(inner)) return &inner;
    if (const Query* found = find_query_of_sequences(inner)) return found;
  }
  return nullptr;
}

void refuse_sequence_calls(const Query& task) {
  if (!calls_sequences(task)) return;
  throw SqlError(sqlstate::feature_not_supported,
                 "functions of sequences are not supported here in queries over distributed tables", "",
                 "They can be called for the rows that a SELECT without DISTINCT puts out.");
}

}  // namespace polarsim::engine::distribution
