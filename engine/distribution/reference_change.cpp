#include "engine/distribution/reference_change.h"

#include <algorithm>
#include <string_view>

#include "engine/distribution/change_checks.h"
#include "engine/distribution/columns.h"
#include "engine/distribution/entries.h"
#include "engine/distribution/job.h"
#include "engine/distribution/outside_tables.h"
#include "engine/distribution/select.h"
#include "engine/query/analysis.h"

namespace polarsim::engine::distribution {
namespace {

using query::Query;
using query::QueryPtr;

class ReferenceChangePlanner {
 public:
  ReferenceChangePlanner(QueryPtr query, const TableDistribution& table, const DistributionInputs& inputs)
      : query_(std::move(query)), table_(table), inputs_(inputs) {}

  DistributedPlanPtr run() {
    auto plan = std::make_shared<DistributedPlan>();
    plan->id = inputs_.numbers.next();
    plan->command = query_->command;
    plan->columns = query::output_columns(*query_);
    SubplanList subplans(inputs_, plan->id);
    query_ = replace_common_tables(query_, subplans, inputs_);
    query_ = replace_outside_queries(
        query_, false, [&](const Query& inner) { return reads_elsewhere(inner) || depends_on_order(inner); }, subplans);
    replace_sources(subplans);
    replace_local_tables(subplans);
    replace_tables_read_in_order(subplans);
    replace_partners(subplans);
    check_assignments_and_condition(*query_, table_);
    check_volatility(*query_);
    refuse_other_tables();
    refuse_system_columns(*query_);
    JobOptions options;
    options.router = true;
    plan->tier = Tier::router;
    plan->job = make_job(query_, {}, {}, inputs_, options);
    plan->generic = subplans.generic();
    plan->subplans = subplans.take();
    return plan;
  }

 private:
  enum class Kind : std::uint8_t { reference, sharded, local };
  Kind kind_of(const query::TableSource& source) const {
    const TableDistributionPtr distribution = inputs_.source.find(*source.relation);
    if (!distribution) return Kind::local;
    return distribution->is_reference() ? Kind::reference : Kind::sharded;
  }

  bool reads_elsewhere(const Query& query) const {
    bool found = false;
    for_each_entry(query, [&](const query::RangeTableEntry& entry) {
      const auto* table = std::get_if<query::TableSource>(&entry.source);
      found = found || (table != nullptr && kind_of(*table) != Kind::reference) ||
              std::holds_alternative<query::SystemViewSource>(entry.source);
    });
    return found;
  }

  // A query in FROM that is more than a choice of rows.
  static bool is_computed(const Query& query) {
    return depends_on_order(query) || query.distinct || query.grouped || query.set_operation;
  }

  void replace_sources(SubplanList& subplans) {
    for (bool again = true; again;) {
      again = false;
      for (const query::RangeTableEntry& entry : query_->entries) {
        const auto* source = std::get_if<query::SubquerySource>(&entry.source);
        if (source == nullptr || is_correlated(*source->query)) continue;
        const bool computed = is_computed(*source->query);
        bool ordered = false;
        for_each_query_within(*source->query, [&](const Query& each) { ordered = ordered || depends_on_order(each); });
        if (!(computed && reads_elsewhere(*source->query)) && !ordered) continue;
        query_ = replace_subquery(query_, source->query.get(), subplans);
        again = true;
        break;
      }
    }
  }

  // Only this node has them; the relative refuses those that are joined.
  void replace_local_tables(SubplanList& subplans) {
    for (bool again = true; again;) {
      const Query* level = nullptr;
      int number = 0;
      for_each_query_within(*query_, [&](const Query& each) {
        for (std::size_t i = 0; i < each.entries.size() && level == nullptr; ++i) {
          const auto* source = std::get_if<query::TableSource>(&each.entries[i].source);
          if (source == nullptr || kind_of(*source) != Kind::local) continue;
          level = &each;
          number = static_cast<int>(i);
        }
      });
      again = level != nullptr;
      if (again) query_ = replace_entry(query_, level, number, subplans);
    }
  }

  // Queries that see the changed row stay where they are: what they read is computed first, so that all copies find it
  // in the same order.
  void replace_tables_read_in_order(SubplanList& subplans) {
    for (;;) {
      const Query* level = nullptr;
      int number = 0;
      for_each_query_within(*query_, [&](const Query& each) {
        if (&each == query_.get() || !depends_on_order(each)) return;
        for_each_query_within(each, [&](const Query& inner) {
          for (std::size_t i = 0; i < inner.entries.size() && level == nullptr; ++i) {
            if (!std::holds_alternative<query::TableSource>(inner.entries[i].source) || !inner.row_marks.empty())
              continue;
            level = &inner;
            number = static_cast<int>(i);
          }
        });
      });
      if (level == nullptr) return;
      query_ = replace_entry(query_, level, number, subplans);
    }
  }

  // UPDATE ... FROM: of several rows that are joined to a row the first one found gives it its values.
  void replace_partners(SubplanList& subplans) {
    const auto is_of_partner = [&](const query::Expression& each, int levels) {
      const auto* column = each.as<query::Column>();
      return column != nullptr && column->levels_up == levels && column->entry != query_->result_entry;
    };
    bool uses_partners = false;
    for (const query::Target& target : query_->targets) {
      query::walk(target.expression, [&](const query::Expression& each, int levels) {
        uses_partners = uses_partners || is_of_partner(each, levels);
        return !uses_partners;
      });
    }
    if (query_->command != query::Command::update || !uses_partners) return;
    const std::vector<char> single = single_partners();
    for (std::size_t i = 0; i < single.size(); ++i) {
      if (single[i] != 0) continue;
      if (std::holds_alternative<query::TableSource>(query_->entries[i].source)) {
        query_ = replace_entry(query_, query_.get(), static_cast<int>(i), subplans);
      } else if (const auto* source = std::get_if<query::SubquerySource>(&query_->entries[i].source);
                 source != nullptr && !is_correlated(*source->query) && reads_tables(*source->query)) {
        query_ = replace_subquery(query_, source->query.get(), subplans);
      }
    }
  }

  static bool reads_tables(const Query& query) {
    bool found = false;
    for_each_entry(query, [&](const query::RangeTableEntry& entry) {
      found = found || std::holds_alternative<query::TableSource>(entry.source);
    });
    return found;
  }

  // The entries of which at most one row is joined to a row of the changed table, by their keys; it is one itself.
  std::vector<char> single_partners() const {
    std::vector<char> single(query_->entries.size(), 0);
    single[static_cast<std::size_t>(query_->result_entry)] = 1;
    std::vector<query::ExpressionPtr> conjuncts;
    add_conjuncts(query_->where, conjuncts);
    for (bool again = true; again;) {
      again = false;
      for (std::size_t i = 0; i < single.size(); ++i) {
        if (single[i] != 0 || !has_known_key(i, conjuncts, single)) continue;
        single[i] = 1;
        again = true;
      }
    }
    return single;
  }

  // Whether all columns of a key of the entry equal something of entries that are known.
  bool has_known_key(std::size_t entry, const std::vector<query::ExpressionPtr>& conjuncts,
                     const std::vector<char>& known) const {
    const auto* table = std::get_if<query::TableSource>(&query_->entries[entry].source);
    if (table == nullptr) return false;
    const auto is_column = [&](const query::ExpressionPtr& side, int number) {
      const auto* column = without_relabel(side)->as<query::Column>();
      return column != nullptr && column->levels_up == 0 && column->column == number &&
             column->entry == static_cast<int>(entry);
    };
    const auto is_known = [&](const query::ExpressionPtr& side) {
      return !query::contains(side, [&](const query::Expression& each) {
        const auto* column = each.as<query::Column>();
        return each.as<query::Subquery>() != nullptr ||
               (column != nullptr && known[static_cast<std::size_t>(column->entry)] == 0);
      });
    };
    const auto equals_known = [&](int number) {
      return std::ranges::any_of(conjuncts, [&](const query::ExpressionPtr& conjunct) {
        const auto* call = conjunct->as<query::OperatorCall>();
        if (call == nullptr || !is_hashed_equality(*call)) return false;
        const query::ExpressionPtr& left = call->arguments[0];
        const query::ExpressionPtr& right = call->arguments[1];
        return (is_column(left, number) && is_known(right)) || (is_column(right, number) && is_known(left));
      });
    };
    return std::ranges::any_of(table->relation->indexes, [&](const query::RelationIndex& index) {
      return index.unique && index.predicate == nullptr &&
             std::ranges::all_of(index.keys, [&](const query::RelationIndex::Key& key) {
               return key.column > 0 && equals_known(key.column);
             });
    });
  }

  void refuse_other_tables() const {
    for_each_entry(*query_, [&](const query::RangeTableEntry& entry) {
      const auto* table = std::get_if<query::TableSource>(&entry.source);
      if (table == nullptr || kind_of(*table) != Kind::sharded) return;
      if (route_query(query_, inputs_).job) {
        throw SqlError(sqlstate::feature_not_supported,
                       "cannot perform select on a distributed table and modify a reference table");
      }
      // The relative's text ends in a space.
      throw SqlError(sqlstate::feature_not_supported,
                     "only reference tables may be queried when targeting a reference table with multi shard "
                     "UPDATE/DELETE queries with multiple tables ");
    });
  }

  QueryPtr query_;
  const TableDistribution& table_;
  const DistributionInputs& inputs_;
};

// Whatever the order of their rows is, their value is the same.
bool is_free_of_order(const query::Aggregate& aggregate) {
  static constexpr std::string_view names[] = {"count", "min",     "max",    "bool_and", "bool_or",
                                               "every", "bit_and", "bit_or", "bit_xor"};
  const std::string_view name = aggregate.function->name;
  if (std::find(std::begin(names), std::end(names), name) != std::end(names)) return true;
  if (name != "sum" && name != "avg") return false;
  const TypeId type = aggregate.arguments[0]->type.id;
  return type != TypeId::float4 && type != TypeId::float8;
}

}  // namespace

bool depends_on_order(const Query& query) {
  if (query.limit || query.offset || !query.distinct_on.empty() || !query.windows.empty()) return true;
  bool depends = false;
  query::for_each_expression(query, [&](const query::ExpressionPtr& expression) {
    depends = depends || query::contains(expression, [](const query::Expression& each) {
                const auto* aggregate = each.as<query::Aggregate>();
                return aggregate != nullptr && !is_free_of_order(*aggregate);
              });
  });
  return depends;
}

bool uses_system_columns(const Query& query) {
  bool found = false;
  query::walk(query, [&](const query::Expression& each, int) {
    const auto* column = each.as<query::Column>();
    found = found || (column != nullptr && column->column < 0);
    return !found;
  });
  return found;
}

void refuse_system_columns(const Query& change) {
  Query decisive = change;
  decisive.returning.clear();
  // The rows of an INSERT come from one place.
  if (change.command == query::Command::insert) {
    for (query::RangeTableEntry& entry : decisive.entries) {
      if (std::holds_alternative<query::SubquerySource>(entry.source)) entry.source = query::ValuesSource{};
    }
  }
  if (!uses_system_columns(decisive)) return;
  throw SqlError(sqlstate::feature_not_supported, "changes of reference tables cannot look at system columns",
                 "Each copy of a row has its own.");
}

DistributedPlanPtr plan_reference_change(const QueryPtr& query, const TableDistribution& table,
                                         const DistributionInputs& inputs) {
  return ReferenceChangePlanner(query, table, inputs).run();
}

}  // namespace polarsim::engine::distribution
