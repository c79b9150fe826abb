// The order of joins (PostgreSQL's optimizer/path/joinrels.c; Selinger et al., SIGMOD 1979): dynamic programming over
// sets of relations up to eight of them, above that the smallest join first.
#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <utility>

#include "engine/plan/conditions.h"
#include "engine/plan/estimate.h"
#include "engine/plan/paths.h"
#include "engine/types/error.h"

namespace polarsim::engine::plan {
namespace {

// What joining two sets of relations is, if it is allowed at all.
struct Legality {
  bool allowed = false;
  const SpecialJoin* special = nullptr;
  bool reversed = false;
};

// The sides of a full join are joined before anything else is joined to either (deconstruct_recurse(), initsplan.c).
bool keeps_full_join(const SpecialJoin& join, Relids left, Relids right) {
  const Relids whole = join.written_left | join.written_right;
  for (const Relids part : {left, right}) {
    if (overlaps(part, whole) && is_subset(whole, part)) return true;
  }
  if (!overlaps(left | right, whole)) return true;
  if (is_subset(left | right, join.written_left) || is_subset(left | right, join.written_right)) return true;
  return (left == join.written_left && right == join.written_right) ||
         (left == join.written_right && right == join.written_left);
}

// join_is_legal().
Legality legality_of(const Level& level, Relids left, Relids right) {
  Legality result;
  const Relids both = left | right;
  bool must_be_left_join = false;
  for (const SpecialJoin& join : level.special_joins) {
    if (join.type == PlanJoin::full && !keeps_full_join(join, left, right)) return {};
    if (!overlaps(join.minimum_right, both) || is_subset(both, join.minimum_right)) continue;
    const Relids whole = join.minimum_left | join.minimum_right;
    if (is_subset(whole, left) || is_subset(whole, right)) continue;
    if (join.type == PlanJoin::semi) {
      if (is_subset(join.written_right, left) && join.written_right != left) continue;
      if (is_subset(join.written_right, right) && join.written_right != right) continue;
    }
    if (is_subset(join.minimum_left, left) && is_subset(join.minimum_right, right)) {
      if (result.special) return {};
      result.special = &join;
      result.reversed = false;
    } else if (is_subset(join.minimum_left, right) && is_subset(join.minimum_right, left)) {
      if (result.special) return {};
      result.special = &join;
      result.reversed = true;
    } else {
      if (overlaps(left, join.minimum_right) && overlaps(right, join.minimum_right)) continue;
      if (join.type != PlanJoin::left || overlaps(both, join.minimum_left)) return {};
      must_be_left_join = true;
    }
  }
  if (must_be_left_join &&
      (!result.special || result.special->type != PlanJoin::left || !result.special->left_strict)) {
    return {};
  }
  result.allowed = true;
  return result;
}

class JoinSearch {
 public:
  explicit JoinSearch(Level& level) : level_(level) {
    for (std::size_t i = 0; i < level.bases.size(); ++i) {
      known_[relid(static_cast<int>(i))] = level.bases[i].rows_of;
    }
  }

  JoinRelationPtr run() {
    const std::size_t count = level_.bases.size();
    if (count == 1) return level_.bases.front().rows_of;
    JoinRelationPtr result = count <= exhaustive_search_max ? exhaustive(false) : nullptr;
    if (!result && count <= exhaustive_search_max) result = exhaustive(true);
    if (!result) result = greedy();
    if (result && result->cheapest_total) return result;
    const bool full = std::any_of(level_.special_joins.begin(), level_.special_joins.end(),
                                  [](const SpecialJoin& join) { return join.type == PlanJoin::full; });
    if (full) {
      throw SqlError("0A000", "FULL JOIN is only supported with merge-joinable or hash-joinable join conditions");
    }
    throw SqlError("0A000", "no order of joins is found for this combination of lateral references and outer joins");
  }

 private:
  JoinRelationPtr exhaustive(bool products) {
    std::vector<Relids> sets;
    for (Relids set = 1; set <= level_.all_relids; ++set) {
      if (std::popcount(set) > 1) sets.push_back(set);
    }
    std::sort(sets.begin(), sets.end(), [](Relids a, Relids b) {
      const int size_a = std::popcount(a);
      const int size_b = std::popcount(b);
      return size_a != size_b ? size_a < size_b : a < b;
    });
    for (const Relids set : sets) {
      // Each split once: the left part has the lowest relation.
      const Relids lowest = set & (~set + 1);
      for (Relids part = (set - 1) & set; part != 0; part = (part - 1) & set) {
        if (overlaps(part, lowest)) join(part, set & ~part, products);
      }
      const auto found = known_.find(set);
      if (found != known_.end()) choose_cheapest(*found->second);
    }
    const auto found = known_.find(level_.all_relids);
    return found == known_.end() || !found->second->cheapest_total ? nullptr : found->second;
  }

  // Joins, again and again, the two parts that give the fewest rows.
  JoinRelationPtr greedy() {
    std::vector<Relids> parts;
    for (std::size_t i = 0; i < level_.bases.size(); ++i) parts.push_back(relid(static_cast<int>(i)));
    while (parts.size() > 1) {
      std::size_t best_left = 0;
      std::size_t best_right = 0;
      double best_rows = 0;
      for (const bool products : {false, true}) {
        for (std::size_t i = 0; i < parts.size(); ++i) {
          for (std::size_t j = i + 1; j < parts.size(); ++j) {
            // Nothing changes between two parts until one of them is joined.
            if (tried_.emplace(parts[i] | parts[j], products).second) join(parts[i], parts[j], products);
            const auto made = known_.find(parts[i] | parts[j]);
            if (made == known_.end() || made->second->paths.empty()) continue;
            if (best_right == 0 || made->second->rows < best_rows) {
              best_left = i;
              best_right = j;
              best_rows = made->second->rows;
            }
          }
        }
        if (best_right != 0) break;
      }
      if (best_right == 0) return nullptr;
      const Relids both = parts[best_left] | parts[best_right];
      choose_cheapest(*known_[both]);
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best_right));
      parts[best_left] = both;
    }
    return known_[level_.all_relids];
  }

  bool is_connected(Relids left, Relids right, const std::vector<const Condition*>& conditions) const {
    if (!conditions.empty()) return true;
    for (std::size_t i = 0; i < level_.bases.size(); ++i) {
      const Relids self = relid(static_cast<int>(i));
      if (overlaps(self, left) && overlaps(level_.bases[i].lateral, right)) return true;
      if (overlaps(self, right) && overlaps(level_.bases[i].lateral, left)) return true;
    }
    return false;
  }

  void join(Relids left_relids, Relids right_relids, bool products) {
    const auto left = known_.find(left_relids);
    const auto right = known_.find(right_relids);
    if (left == known_.end() || right == known_.end()) return;
    const Legality legality = legality_of(level_, left_relids, right_relids);
    if (!legality.allowed) return;
    const std::vector<const Condition*> conditions = conditions_between(level_, left_relids, right_relids);
    // An outer join has to be done even if it has no condition.
    if (!products && legality.special == nullptr && !is_connected(left_relids, right_relids, conditions)) return;
    const JoinRelation& first = legality.reversed ? *right->second : *left->second;
    const JoinRelation& second = legality.reversed ? *left->second : *right->second;
    const SpecialJoin* special = legality.special;
    auto found = known_.find(left_relids | right_relids);
    if (found == known_.end()) {
      auto made = std::make_shared<JoinRelation>();
      made->relids = left_relids | right_relids;
      made->width = first.width + (special && is_one_sided(special->type) ? 0 : second.width);
      made->rows = estimate(first, second, special, conditions);
      found = known_.emplace(made->relids, std::move(made)).first;
    }
    JoinRelation& joined = *found->second;
    if (joined.never) return;
    if (is_never(first, second, special)) return make_empty(joined);
    if (special != nullptr && finds_nothing(*special, second, conditions))
      return add_join_paths(level_, joined, first, without_rows(second), special->type, conditions);
    if (special == nullptr) {
      add_join_paths(level_, joined, first, second, PlanJoin::inner, conditions);
      add_join_paths(level_, joined, second, first, PlanJoin::inner, conditions);
    } else {
      add_join_paths(level_, joined, first, second, special->type, conditions);
      if (special->type == PlanJoin::left) {
        add_join_paths(level_, joined, second, first, PlanJoin::right, conditions);
      } else if (special->type == PlanJoin::full) {
        add_join_paths(level_, joined, second, first, PlanJoin::full, conditions);
      }
    }
  }

  // The other side of an outer join ON false, or of an anti join that no row can match, is not computed
  // (make_join_rel()).
  static bool finds_nothing(const SpecialJoin& join, const JoinRelation& right,
                            const std::vector<const Condition*>& conditions) {
    if ((join.type != PlanJoin::left && join.type != PlanJoin::anti) || !is_subset(right.relids, join.written_right))
      return false;
    return std::any_of(conditions.begin(), conditions.end(), [](const Condition* condition) {
      return !condition->pushed_down && is_false_constant(condition->expression);
    });
  }
  static JoinRelation without_rows(const JoinRelation& relation) {
    JoinRelation empty;
    empty.relids = relation.relids;
    empty.width = relation.width;
    make_empty(empty);
    return empty;
  }
  static bool is_never(const JoinRelation& left, const JoinRelation& right, const SpecialJoin* special) {
    switch (special == nullptr ? PlanJoin::inner : special->type) {
      case PlanJoin::left:
      case PlanJoin::anti:
        return left.never;
      case PlanJoin::full:
        return left.never && right.never;
      default:
        return left.never || right.never;
    }
  }

  static bool is_one_sided(PlanJoin type) { return type == PlanJoin::semi || type == PlanJoin::anti; }

  // calc_joinrel_size_estimate().
  double estimate(const JoinRelation& left, const JoinRelation& right, const SpecialJoin* special,
                  const std::vector<const Condition*>& conditions) const {
    if (special == nullptr) {
      return whole_rows(left.rows * right.rows * selectivity(level_, conditions, nullptr));
    }
    std::vector<const Condition*> own;
    std::vector<const Condition*> filters;
    for (const Condition* condition : conditions) {
      (condition->pushed_down && special->type != PlanJoin::semi ? filters : own).push_back(condition);
    }
    const double part = selectivity(level_, own, special);
    double rows = left.rows * right.rows * part;
    switch (special->type) {
      case PlanJoin::left:
        rows = std::max(rows, left.rows);
        break;
      case PlanJoin::full:
        rows = std::max({rows, left.rows, right.rows});
        break;
      case PlanJoin::semi:
        rows = left.rows * part;
        break;
      case PlanJoin::anti:
        rows = left.rows * (1 - part);
        break;
      case PlanJoin::inner:
      case PlanJoin::right:
        break;
    }
    return whole_rows(rows * selectivity(level_, filters, nullptr));
  }

  Level& level_;
  std::map<Relids, JoinRelationPtr> known_;
  std::set<std::pair<Relids, bool>> tried_;  // by greedy(): two parts together, and whether products were allowed
};

}  // namespace

JoinRelationPtr search_joins(Level& level) { return JoinSearch(level).run(); }

}  // namespace polarsim::engine::plan
