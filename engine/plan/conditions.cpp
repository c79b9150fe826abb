#include "engine/plan/conditions.h"

#include <algorithm>
#include <bit>
#include <boost/container/small_vector.hpp>

#include "engine/query/fold.h"
#include "engine/types/error.h"

namespace polarsim::engine::plan {
namespace {

using query::equal;
using query::make_expression;
using query::OperatorCall;

// Null if values are not compared as they are.
const OperatorEntry* equality_of(TypeId left, TypeId right) {
  if (is_array(left) && left == right) return find_operator("=", TypeId::any_array, TypeId::any_array);
  return find_operator("=", left, right);
}

// What a part of the tree gave its parent.
struct Scope {
  Relids relids = 0;
  Relids inner_joined = 0;
};

class Distributor {
 public:
  explicit Distributor(Level& level) : level_(level) {}

  Scope visit(const JoinNode& node, bool below_outer_join) {
    if (node.kind == JoinNode::Kind::leaf) return {relid(add_base(node.entry)), 0};
    if (node.kind == JoinNode::Kind::join) return visit_join(node, below_outer_join);
    Scope scope;
    for (const auto& item : node.items) {
      const Scope one = visit(*item, below_outer_join);
      scope.relids |= one.relids;
      scope.inner_joined = node.items.size() == 1 ? one.inner_joined : scope.relids;
    }
    for (const auto& condition : node.conditions) distribute(condition, below_outer_join, scope.relids, 0, 0);
    return scope;
  }

  // An outer join's own equality with something that is always the same holds on the other side, too.
  void reconsider_outer_conditions() {
    for (const Outer& outer : outer_equalities_) {
      const auto& call = *outer.condition->expression->as<OperatorCall>();
      const Condition& condition = *outer.condition;
      const bool left_kept = is_subset(condition.left, outer.kept);
      // One side has to be of rows that are all kept, the other of rows that are not: of a full join none is, and what
      // needs both sides is no value of either.
      if (overlaps(left_kept ? condition.right : condition.left, outer.kept)) continue;
      if (!is_subset(left_kept ? condition.left : condition.right, outer.kept)) continue;
      const ExpressionPtr& kept = call.arguments[left_kept ? 0 : 1];
      const ExpressionPtr& other = call.arguments[left_kept ? 1 : 0];
      const int id = find_class_of(level_, kept);
      if (id < 0 || !level_.classes[static_cast<std::size_t>(id)].has_constant) continue;
      const std::vector<EquivalenceClass::Member> members = level_.classes[static_cast<std::size_t>(id)].members;
      for (const auto& member : members) {
        if (!member.constant) continue;
        const auto* equality = equality_of(other->type.id, member.expression->type.id);
        if (equality == nullptr) continue;
        ExpressionPtr expression = make_expression(OperatorCall{equality, {other, member.expression}}, TypeId::boolean);
        if (!can_be_equivalent(other, member.expression, true)) break;
        add_equivalence(other, member.expression, expression, true);
        outer.condition->selectivity = outer.condition->outer_selectivity = 1;
        break;
      }
    }
  }

  void add_condition(const Condition* condition) {
    if (std::has_single_bit(condition->required)) {
      level_.bases[static_cast<std::size_t>(std::countr_zero(condition->required))].conditions.push_back(condition);
      return;
    }
    level_.join_conditions.push_back(condition);
    for (std::size_t i = 0; i < level_.bases.size(); ++i) {
      if (overlaps(condition->required, relid(static_cast<int>(i)))) {
        level_.bases[i].join_conditions.push_back(condition);
      }
    }
  }

 private:
  struct Outer {
    const Condition* condition;
    Relids kept;
  };

  int add_base(int entry) {
    if (level_.bases.size() == relations_max) {
      throw SqlError("0A000", "queries of more than 64 relations are not supported");
    }
    BaseRelation base;
    base.entry = entry;
    base.number = level_.numbers[static_cast<std::size_t>(entry)];
    const int id = static_cast<int>(level_.bases.size());
    level_.bases.push_back(std::move(base));
    level_.base_of_entry[static_cast<std::size_t>(entry)] = id;
    level_.all_relids |= relid(id);
    return id;
  }

  Scope visit_join(const JoinNode& node, bool below) {
    const bool left_below = below || node.type == PlanJoin::full;
    const bool right_below = left_below || node.type == PlanJoin::left || node.type == PlanJoin::anti;
    const Scope left = visit(*node.items[0], left_below);
    const Scope right = visit(*node.items[1], right_below);
    Scope scope{left.relids | right.relids, left.inner_joined | right.inner_joined};
    if (node.type == PlanJoin::inner || node.type == PlanJoin::semi) scope.inner_joined = scope.relids;
    if (node.type == PlanJoin::inner) {
      for (const auto& condition : node.conditions) distribute(condition, below, scope.relids, 0, 0);
      return scope;
    }
    const SpecialJoin special =
        make_special_join(node, left.relids, right.relids, left.inner_joined | right.inner_joined);
    Relids outer_scope = 0;
    Relids kept = 0;
    if (node.type != PlanJoin::semi) {
      outer_scope = special.minimum_left | special.minimum_right;
      kept = node.type == PlanJoin::full ? scope.relids : left.relids;
    }
    for (const auto& condition : node.conditions) distribute(condition, below, scope.relids, outer_scope, kept);
    level_.special_joins.push_back(special);
    return scope;
  }

  Relids strict_relids(const std::vector<ExpressionPtr>& conditions) const {
    std::vector<char> entries(level_.query.entries.size(), 0);
    for (const auto& condition : conditions) add_nonnullable_entries(condition, true, entries);
    Relids result = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i] != 0 && level_.base_of_entry[i] >= 0) result |= relid(level_.base_of_entry[i]);
    }
    return result;
  }

  // make_outerjoininfo().
  SpecialJoin make_special_join(const JoinNode& node, Relids left, Relids right, Relids inner_joined) {
    SpecialJoin join;
    join.type = node.type;
    join.written_left = left;
    join.written_right = right;
    if (node.type == PlanJoin::semi) find_unique_columns(node, join);
    if (node.type == PlanJoin::full) {
      join.minimum_left = left;
      join.minimum_right = right;
      return join;
    }
    Relids used = 0;
    for (const auto& condition : node.conditions) used |= level_.relids_of(condition);
    const Relids strict = strict_relids(node.conditions);
    join.left_strict = overlaps(strict, left);
    join.minimum_left = used & left;
    join.minimum_right = (used | inner_joined) & right;
    const bool semi_or_anti = node.type == PlanJoin::semi || node.type == PlanJoin::anti;
    for (const SpecialJoin& other : level_.special_joins) {
      const Relids whole = other.written_left | other.written_right;
      if (other.type == PlanJoin::full) {
        if (overlaps(left, whole)) join.minimum_left |= whole;
        if (overlaps(right, whole)) join.minimum_right |= whole;
        continue;
      }
      if (overlaps(left, other.written_right) && overlaps(used, other.written_right) &&
          (semi_or_anti || !overlaps(strict, other.minimum_right))) {
        join.minimum_left |= whole;
      }
      if (overlaps(right, other.written_right) &&
          (overlaps(used, other.written_right) || !overlaps(used, other.minimum_left) || semi_or_anti ||
           other.type == PlanJoin::semi || other.type == PlanJoin::anti || !other.left_strict)) {
        join.minimum_right |= whole;
      }
    }
    if (join.minimum_left == 0) join.minimum_left = left;
    if (join.minimum_right == 0) join.minimum_right = right;
    return join;
  }

  // A semi join by equalities alone may be done by making its right side unique first.
  void find_unique_columns(const JoinNode& node, SpecialJoin& join) const {
    for (const auto& condition : node.conditions) {
      const auto* call = condition->as<OperatorCall>();
      if (level_.relids_of(condition) == (level_.relids_of(condition) & join.written_right)) continue;
      if (call == nullptr || call->arguments.size() != 2 || !call->function->hashable) return;
      const Relids a = level_.relids_of(call->arguments[0]);
      const Relids b = level_.relids_of(call->arguments[1]);
      if (shared_type(call->arguments[0]->type.id, call->arguments[1]->type.id) == TypeId::none) return;
      if (is_subset(b, join.written_right) && b != 0 && !overlaps(a, join.written_right)) {
        join.unique_columns.push_back(call->arguments[1]);
      } else if (is_subset(a, join.written_right) && a != 0 && !overlaps(b, join.written_right)) {
        join.unique_columns.push_back(call->arguments[0]);
      } else {
        return;
      }
    }
    join.can_be_unique = !join.unique_columns.empty();
  }

  // check_outerjoin_delay(): a condition on columns that an outer join below makes NULL has to wait for that join.
  bool delay(Relids& relids) const {
    bool delayed = false;
    for (bool again = true; again;) {
      again = false;
      for (const SpecialJoin& join : level_.special_joins) {
        if (join.type == PlanJoin::semi) continue;
        const bool uses_nullable = overlaps(relids, join.minimum_right) ||
                                   (join.type == PlanJoin::full && overlaps(relids, join.minimum_left));
        const Relids whole = join.minimum_left | join.minimum_right;
        if (uses_nullable && !is_subset(whole, relids)) {
          relids |= whole;
          delayed = again = true;
        }
      }
    }
    return delayed;
  }

  // distribute_qual_to_rels().
  void distribute(const ExpressionPtr& expression, bool below, Relids scope, Relids outer_scope, Relids kept) {
    Relids relids = level_.relids_of(expression);
    if (relids == 0) {
      const bool is_volatile = query::contains_volatility(expression, Volatility::volatile_function);
      if (outer_scope == 0 && !below && !is_volatile) {
        level_.one_time_conditions.push_back(expression);
        return;
      }
      relids = outer_scope != 0 ? outer_scope : scope;
      if (relids == 0) {
        level_.one_time_conditions.push_back(expression);
        return;
      }
    }
    if (overlaps(relids, kept)) {
      const Condition* condition = make_condition(level_, expression, outer_scope, false);
      const_cast<Condition*>(condition)->kept = kept;
      if (condition->equality) outer_equalities_.push_back({condition, kept});
      add_condition(condition);
      return;
    }
    const bool delayed = delay(relids);
    if (!delayed) {
      const auto* call = expression->as<OperatorCall>();
      if (call != nullptr && call->arguments.size() == 2 && std::string_view(call->function->symbol) == "=" &&
          call->arguments[0]->type.id != TypeId::record && call->function->hashable &&
          !query::contains_volatility(expression, Volatility::volatile_function) &&
          shared_type(call->arguments[0]->type.id, call->arguments[1]->type.id) != TypeId::none) {
        if (equal(call->arguments[0], call->arguments[1])) {
          ExpressionPtr test = make_expression(query::NullTest{call->arguments[0], true}, TypeId::boolean);
          add_condition(make_condition(level_, test, relids, true));
          return;
        }
        if (can_be_equivalent(call->arguments[0], call->arguments[1], below || kept != 0)) {
          add_equivalence(call->arguments[0], call->arguments[1], expression, below || kept != 0);
          return;
        }
      }
    }
    add_condition(make_condition(level_, expression, relids, true));
  }

  // What an outer join below makes NULL keeps its equalities only if all of it becomes NULL.
  bool can_be_equivalent(const ExpressionPtr& left, const ExpressionPtr& right, bool below) const {
    if (!below) return true;
    return (level_.relids_of(left) == 0 || is_strict_throughout(left)) &&
           (level_.relids_of(right) == 0 || is_strict_throughout(right));
  }

  // The class an equality adds to. A constant connects only what holds in all rows: below an outer join `x = 1` is said
  // of the rows that are matched, and has nothing to do with another `y = 1`, above that join or on its other side.
  std::size_t member_class(const ExpressionPtr& expression, bool below) {
    for (std::size_t id = 0; id < level_.classes.size(); ++id) {
      const EquivalenceClass& known = level_.classes[id];
      for (const auto& member : known.members) {
        if (member.constant && (below || known.below_outer_join)) continue;
        if (equal(member.expression, expression)) return id;
      }
    }
    EquivalenceClass made;
    const Relids relids = level_.relids_of(expression);
    made.members.push_back({expression, relids, relids == 0});
    made.has_constant = relids == 0;
    made.below_outer_join = below;
    level_.classes.push_back(std::move(made));
    return level_.classes.size() - 1;
  }

  // process_equivalence().
  void add_equivalence(const ExpressionPtr& left, const ExpressionPtr& right, const ExpressionPtr& source, bool below) {
    const std::size_t a = member_class(left, below);
    const std::size_t b = member_class(right, below);
    EquivalenceClass& kept = level_.classes[a];
    kept.below_outer_join |= below;
    kept.sources.push_back(source);
    if (a == b) return;
    EquivalenceClass& gone = level_.classes[b];
    kept.below_outer_join |= gone.below_outer_join;
    kept.has_constant |= gone.has_constant;
    for (auto& member : gone.members) kept.members.push_back(std::move(member));
    kept.sources.insert(kept.sources.end(), gone.sources.begin(), gone.sources.end());
    gone.members.clear();
    gone.merged_into = static_cast<int>(a);
  }

  Level& level_;
  std::vector<Outer> outer_equalities_;
};

ExpressionPtr make_equality_of(const ExpressionPtr& left, const ExpressionPtr& right) {
  const auto* entry = equality_of(left->type.id, right->type.id);
  if (entry != nullptr) return make_expression(OperatorCall{entry, {left, right}}, TypeId::boolean);
  // varchar and name have no `=` of their own: they are compared as text.
  auto as_text = [](const ExpressionPtr& side) -> ExpressionPtr {
    if (side->type.id == TypeId::text) return side;
    query::Convert convert;
    convert.conversion = find_conversion(side->type.id, TypeId::text, CastContext::implicit);
    convert.argument = side;
    return make_expression(std::move(convert), TypeId::text);
  };
  const auto* text = find_operator("=", TypeId::text, TypeId::text);
  return make_expression(OperatorCall{text, {as_text(left), as_text(right)}}, TypeId::boolean);
}

Relids all_relids(const EquivalenceClass& equivalence) {
  Relids result = 0;
  for (const auto& member : equivalence.members) result |= member.relids;
  return result;
}

// generate_base_implied_equalities().
void generate_base_conditions(Level& level, Distributor& distributor) {
  for (std::size_t id = 0; id < level.classes.size(); ++id) {
    const EquivalenceClass& equivalence = level.classes[id];
    if (equivalence.members.size() < 2) continue;
    auto add = [&](const ExpressionPtr& left, const ExpressionPtr& right, Relids relids) {
      // What was written is kept where it says the same, so that it is shown as it was written.
      ExpressionPtr expression = make_equality_of(left, right);
      if (relids != 0) {
        distributor.add_condition(make_condition(level, expression, relids, true));
        return;
      }
      // Two constants that differ: no row at all, or, below an outer join, none on that side of it.
      const PlannerInputs& inputs = level.statement.inputs;
      expression = query::fold(expression, {inputs.call, inputs.parameters, false, false});
      if (is_true_constant(expression)) return;
      if (equivalence.below_outer_join) {
        distributor.add_condition(make_condition(level, expression, all_relids(equivalence), true));
      } else {
        level.one_time_conditions.push_back(expression);
      }
    };
    if (equivalence.has_constant) {
      const auto constant =
          std::find_if(equivalence.members.begin(), equivalence.members.end(),
                       [](const auto& member) { return member.expression->template as<query::Constant>() != nullptr; });
      const auto any = std::find_if(equivalence.members.begin(), equivalence.members.end(),
                                    [](const auto& member) { return member.constant; });
      const ExpressionPtr value = (constant != equivalence.members.end() ? constant : any)->expression;
      for (const auto& member : equivalence.members) {
        if (member.expression != value) add(member.expression, value, member.relids);
      }
      continue;
    }
    for (std::size_t i = 0; i < equivalence.members.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const auto& a = equivalence.members[j];
        const auto& b = equivalence.members[i];
        if (a.relids == b.relids && std::has_single_bit(a.relids)) {
          add(a.expression, b.expression, a.relids);
          break;
        }
      }
    }
  }
}

const Condition* derive(Level& level, std::size_t id, std::size_t left, std::size_t right) {
  EquivalenceClass& equivalence = level.classes[id];
  for (const auto& derived : equivalence.derived) {
    if (derived.left == left && derived.right == right) return derived.condition;
  }
  const auto& a = equivalence.members[left];
  const auto& b = equivalence.members[right];
  ExpressionPtr expression;
  for (const ExpressionPtr& source : equivalence.sources) {
    const auto& call = *source->as<OperatorCall>();
    if (equal(call.arguments[0], a.expression) && equal(call.arguments[1], b.expression)) expression = source;
  }
  if (expression == nullptr) expression = make_equality_of(a.expression, b.expression);
  const Condition* condition = make_condition(level, expression, a.relids | b.relids, true);
  auto* made = const_cast<Condition*>(condition);
  made->of_class = made->left_class = made->right_class = static_cast<int>(id);
  equivalence.derived.push_back({left, right, condition});
  return condition;
}

}  // namespace

TypeId shared_type(TypeId left, TypeId right) {
  auto family = [](TypeId type) {
    switch (type) {
      case TypeId::int2:
      case TypeId::int4:
        return TypeId::int8;
      case TypeId::float4:
        return TypeId::float8;
      case TypeId::varchar:
      case TypeId::name:
        return TypeId::text;
      default:
        return type;
    }
  };
  return family(left) == family(right) ? family(left) : TypeId::none;
}

const Condition* make_condition(Level& level, const ExpressionPtr& expression, Relids required, bool pushed_down) {
  Condition& condition = level.all_conditions.emplace_back();
  condition.expression = expression;
  condition.relids = level.relids_of(expression);
  condition.required = required | condition.relids;
  condition.pushed_down = pushed_down;
  const auto* call = expression->as<OperatorCall>();
  if (call == nullptr || call->arguments.size() != 2) return &condition;
  condition.left = level.relids_of(call->arguments[0]);
  condition.right = level.relids_of(call->arguments[1]);
  condition.equality = condition.left != 0 && condition.right != 0 && !overlaps(condition.left, condition.right) &&
                       std::string_view(call->function->symbol) == "=" && call->function->hashable &&
                       shared_type(call->arguments[0]->type.id, call->arguments[1]->type.id) != TypeId::none &&
                       !query::contains_volatility(expression, Volatility::volatile_function);
  return &condition;
}

int find_class_of(const Level& level, const ExpressionPtr& expression) {
  for (std::size_t i = 0; i < level.classes.size(); ++i) {
    for (const auto& member : level.classes[i].members) {
      if (equal(member.expression, expression)) return static_cast<int>(i);
    }
  }
  return -1;
}

int class_of(Level& level, const ExpressionPtr& expression) {
  const int found = find_class_of(level, expression);
  if (found >= 0) return found;
  // A varchar column sorts as the text it is compared as.
  EquivalenceClass made;
  const Relids relids = level.relids_of(expression);
  made.members.push_back({expression, relids, false});
  level.classes.push_back(std::move(made));
  return static_cast<int>(level.classes.size()) - 1;
}

bool is_constant_class(const Level& level, int id) {
  const EquivalenceClass& equivalence = level.classes[static_cast<std::size_t>(level.find_class(id))];
  return equivalence.has_constant && !equivalence.below_outer_join;
}

void distribute_conditions(Level& level) {
  level.base_of_entry.assign(level.query.entries.size(), -1);
  Distributor distributor(level);
  distributor.visit(*level.tree, false);
  distributor.reconsider_outer_conditions();
  generate_base_conditions(level, distributor);
  // Orders by what outer joins compare are useful, too (initialize_mergeclause_eclasses()).
  for (Condition& condition : level.all_conditions) {
    if (!condition.equality || condition.of_class >= 0) continue;
    const auto& sides = condition.expression->as<OperatorCall>()->arguments;
    condition.left_class = class_of(level, sides[0]);
    condition.right_class = class_of(level, sides[1]);
  }
}

std::vector<const Condition*> conditions_between(Level& level, Relids left, Relids right) {
  std::vector<const Condition*> result;
  const Relids both = left | right;
  for (std::size_t id = 0; id < level.classes.size(); ++id) {
    const EquivalenceClass& equivalence = level.classes[id];
    if (equivalence.has_constant || equivalence.members.size() < 2) continue;
    // One equality with each side is enough: members of one side are equal among themselves already. A member that
    // needs both sides is new, and has to be made equal to the rest.
    int first_left = -1;
    int first_right = -1;
    boost::container::small_vector<std::size_t, 4> of_both;
    for (std::size_t i = 0; i < equivalence.members.size(); ++i) {
      const auto& member = equivalence.members[i];
      if (member.relids == 0 || !is_subset(member.relids, both)) continue;
      if (is_subset(member.relids, left)) {
        if (first_left < 0) first_left = static_cast<int>(i);
      } else if (is_subset(member.relids, right)) {
        if (first_right < 0) first_right = static_cast<int>(i);
      } else {
        of_both.push_back(i);
      }
    }
    if (first_left >= 0 && first_right >= 0) {
      const auto low = static_cast<std::size_t>(std::min(first_left, first_right));
      const auto high = static_cast<std::size_t>(std::max(first_left, first_right));
      result.push_back(derive(level, id, low, high));
    }
    int known = first_left >= 0 ? first_left : first_right;
    for (const std::size_t member : of_both) {
      if (known >= 0) result.push_back(derive(level, id, static_cast<std::size_t>(known), member));
      known = static_cast<int>(member);
    }
  }
  for (const Condition* condition : level.join_conditions) {
    if (is_subset(condition->required, both) && !is_subset(condition->required, left) &&
        !is_subset(condition->required, right)) {
      result.push_back(condition);
    }
  }
  return result;
}

std::vector<const Condition*> equalities_with_others(Level& level, int base) {
  std::vector<const Condition*> result;
  for (std::size_t id = 0; id < level.classes.size(); ++id) {
    if (level.classes[id].has_constant) continue;
    for (std::size_t i = 0; i < level.classes[id].members.size(); ++i) {
      if (level.classes[id].members[i].relids != relid(base)) continue;
      for (std::size_t j = 0; j < level.classes[id].members.size(); ++j) {
        const Relids other = level.classes[id].members[j].relids;
        if (other == 0 || overlaps(other, relid(base))) continue;
        result.push_back(derive(level, id, std::min(i, j), std::max(i, j)));
      }
    }
  }
  return result;
}

}  // namespace polarsim::engine::plan
