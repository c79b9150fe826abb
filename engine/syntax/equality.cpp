#include "engine/syntax/equality.h"

#include <algorithm>
#include <tuple>
#include <type_traits>

namespace polarsim::engine::syntax {
namespace {

// What counts of each kind of node: everything but positions, and what follows from the rest.
auto fields_of(const TypeName& x) { return std::tie(x.schema, x.name, x.modifiers, x.array_dimensions); }
auto fields_of(const OrderItem& x) {
  return std::tie(x.expression, x.descending, x.nulls_first, x.nulls_written, x.using_operator, x.using_schema);
}
auto fields_of(const WindowSpecification& x) {
  return std::tie(x.name, x.reference, x.partition_by, x.order_by, x.frame_written, x.mode, x.start, x.end,
                  x.start_offset, x.end_offset, x.exclusion);
}
auto fields_of(const CallDetails& x) { return std::tie(x.order_by, x.within_group, x.filter, x.over, x.variadic); }
auto fields_of(const Expression::Subscript& x) { return std::tie(x.lower, x.upper, x.slice); }
auto fields_of(const Expression& x) {
  return std::tie(x.kind, x.value, x.type, x.path, x.name, x.schema, x.index, x.negated, x.star, x.distinct, x.all,
                  x.symmetric, x.explicit_row, x.multidimensional, x.in_written, x.arguments, x.operand, x.subscripts,
                  x.type_name, x.call, x.query);
}
auto fields_of(const TableName& x) { return std::tie(x.schema, x.name, x.alias, x.column_aliases, x.only); }
auto fields_of(const SelectItem& x) { return std::tie(x.expression, x.alias); }
auto fields_of(const LockingClause& x) { return std::tie(x.strength, x.wait, x.of); }
auto fields_of(const ColumnDefinitionItem& x) { return std::tie(x.name, x.type); }
auto fields_of(const FromSubquery& x) { return std::tie(x.query, x.lateral); }
auto fields_of(const FromFunction::Item& x) { return std::tie(x.call, x.columns); }
auto fields_of(const FromFunction& x) {
  return std::tie(x.functions, x.rows_from, x.with_ordinality, x.lateral, x.columns);
}
auto fields_of(const FromJoin& x) {
  return std::tie(x.kind, x.left, x.right, x.natural, x.using_columns, x.using_alias, x.condition);
}
auto fields_of(const FromItem& x) { return std::tie(x.source, x.alias, x.column_aliases); }
auto fields_of(const CommonTableBody& x) { return std::tie(x.select, x.insert, x.update, x.removal); }
auto fields_of(const CommonTable& x) { return std::tie(x.name, x.columns, x.materialized, x.body); }
auto fields_of(const With& x) { return std::tie(x.recursive, x.tables); }
auto fields_of(const Select& x) {
  return std::tie(x.with, x.set_operator, x.set_all, x.left, x.right, x.values, x.items, x.distinct, x.distinct_on,
                  x.from, x.where, x.group_by, x.group_distinct, x.having, x.windows, x.order_by, x.limit, x.offset,
                  x.with_ties, x.locking);
}
auto fields_of(const Assignment& x) {
  return std::tie(x.column, x.subscripts, x.value, x.source_index, x.source_count);
}
auto fields_of(const IndexElement& x) {
  return std::tie(x.column, x.expression, x.operator_class, x.collation, x.descending, x.nulls_first, x.order_written);
}
auto fields_of(const OnConflict& x) {
  return std::tie(x.action, x.target, x.target_where, x.constraint, x.assignments, x.where);
}
auto fields_of(const Insert::Column& x) { return std::tie(x.name, x.subscripts); }
auto fields_of(const Insert& x) {
  return std::tie(x.with, x.table, x.columns, x.source, x.overriding, x.on_conflict, x.returning);
}
auto fields_of(const Update& x) { return std::tie(x.with, x.table, x.assignments, x.from, x.where, x.returning); }
auto fields_of(const Delete& x) { return std::tie(x.with, x.table, x.using_items, x.where, x.returning); }
auto fields_of(const Parameter& x) { return std::tie(x.name, x.value); }
auto fields_of(const SequenceOptions& x) {
  return std::tie(x.type, x.start, x.increment, x.minimum, x.maximum, x.no_minimum, x.no_maximum, x.cache, x.cycle,
                  x.restart, x.restart_at_start, x.owned_by, x.name);
}
auto fields_of(const Constraint& x) {
  return std::tie(x.kind, x.name, x.columns, x.expression, x.referenced, x.referenced_columns, x.on_delete, x.on_update,
                  x.match_full, x.not_valid, x.on_delete_columns, x.identity_always, x.sequence, x.no_inherit,
                  x.nulls_not_distinct, x.including, x.parameters, x.deferrable, x.initially_deferred, x.using_index);
}
auto fields_of(const ColumnDefinition& x) { return std::tie(x.name, x.type, x.collation, x.constraints); }
auto fields_of(const CreateTable::Like& x) { return std::tie(x.table, x.including, x.columns_before); }
auto fields_of(const CreateTable& x) {
  return std::tie(x.table, x.columns, x.constraints, x.if_not_exists, x.temporary, x.unlogged, x.parameters, x.like,
                  x.on_commit, x.access_method);
}
auto fields_of(const CreateTableAs& x) {
  return std::tie(x.table, x.columns, x.query, x.with_data, x.if_not_exists, x.temporary, x.unlogged,
                  x.materialized_view, x.on_commit, x.access_method, x.parameters);
}
auto fields_of(const CreateIndex& x) {
  return std::tie(x.name, x.table, x.method, x.elements, x.including, x.where, x.unique, x.nulls_not_distinct,
                  x.concurrently, x.if_not_exists, x.parameters, x.tablespace);
}
auto fields_of(const CreateSequence& x) { return std::tie(x.sequence, x.options, x.if_not_exists, x.temporary); }
auto fields_of(const AlterSequence& x) { return std::tie(x.sequence, x.options, x.if_exists); }
auto fields_of(const CreateView& x) {
  return std::tie(x.view, x.columns, x.query, x.or_replace, x.temporary, x.check_option, x.check_option_local,
                  x.parameters);
}
auto fields_of(const CreateSchema& x) { return std::tie(x.name, x.if_not_exists, x.owner); }
auto fields_of(const Drop& x) { return std::tie(x.kind, x.objects, x.if_exists, x.cascade, x.concurrently); }
auto fields_of(const AlterTable::Action& x) {
  return std::tie(x.kind, x.column, x.definition, x.type, x.collation, x.expression, x.constraint, x.parameters,
                  x.if_exists, x.if_not_exists, x.cascade);
}
auto fields_of(const AlterTable& x) { return std::tie(x.kind, x.table, x.actions, x.if_exists); }
auto fields_of(const Rename& x) { return std::tie(x.what, x.kind, x.object, x.old_name, x.new_name, x.if_exists); }
auto fields_of(const AlterSchema& x) { return std::tie(x.kind, x.object, x.schema, x.if_exists); }
auto fields_of(const RefreshMaterializedView& x) { return std::tie(x.view, x.concurrently, x.with_data); }
auto fields_of(const Truncate& x) { return std::tie(x.tables, x.restart_identity, x.cascade); }
auto fields_of(const Comment& x) { return std::tie(x.kind, x.object, x.column, x.text); }
auto fields_of(const Copy& x) {
  return std::tie(x.table, x.columns, x.query, x.from, x.program, x.file, x.options, x.where);
}
auto fields_of(const Statement& x) { return std::tie(x.body, x.parameters); }
auto fields_of(const Explain& x) { return std::tie(x.options, x.statement); }
auto fields_of(const Prepare& x) { return std::tie(x.name, x.types, x.statement); }
auto fields_of(const Execute& x) { return std::tie(x.name, x.parameters); }
auto fields_of(const Deallocate& x) { return std::tie(x.name); }
auto fields_of(const LockTable& x) { return std::tie(x.tables, x.mode, x.nowait); }
auto fields_of(const Vacuum& x) {
  return std::tie(x.vacuum, x.analyze, x.freeze, x.full, x.verbose, x.skip_locked, x.tables);
}
auto fields_of(const Checkpoint& /*x*/) { return std::tuple<>(); }
auto fields_of(const Discard& x) { return std::tie(x.what); }
auto fields_of(const TransactionControl& x) { return std::tie(x.kind, x.gid, x.savepoint, x.modes, x.start); }
auto fields_of(const SetTransaction& x) { return std::tie(x.session, x.modes); }
auto fields_of(const SetVariable& x) { return std::tie(x.name, x.value, x.values, x.local, x.reset); }
auto fields_of(const ShowVariable& x) { return std::tie(x.name); }

template <typename T>
concept Node = requires(const T& x) {
  fields_of(x);
};

template <typename T>
struct Same {
  bool operator()(const T& a, const T& b) const {
    if constexpr (Node<T>) {
      const auto fields_a = fields_of(a);
      const auto fields_b = fields_of(b);
      return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return (Same<std::remove_cvref_t<std::tuple_element_t<I, decltype(fields_a)>>>()(std::get<I>(fields_a),
                                                                                         std::get<I>(fields_b)) &&
                ...);
      }
      (std::make_index_sequence<std::tuple_size_v<decltype(fields_a)>>());
    } else {
      return a == b;
    }
  }
};

template <typename T>
struct Same<std::shared_ptr<const T>> {
  bool operator()(const std::shared_ptr<const T>& a, const std::shared_ptr<const T>& b) const {
    return a == b || (a && b && Same<T>()(*a, *b));
  }
};

template <typename T>
struct Same<std::vector<T>> {
  bool operator()(const std::vector<T>& a, const std::vector<T>& b) const {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), Same<T>());
  }
};

template <typename T>
struct Same<std::optional<T>> {
  bool operator()(const std::optional<T>& a, const std::optional<T>& b) const {
    return a.has_value() == b.has_value() && (!a || Same<T>()(*a, *b));
  }
};

template <typename... T>
struct Same<std::variant<T...>> {
  bool operator()(const std::variant<T...>& a, const std::variant<T...>& b) const {
    if (a.index() != b.index()) return false;
    return std::visit(
        [&](const auto& held) {
          using Held = std::remove_cvref_t<decltype(held)>;
          return Same<Held>()(held, std::get<Held>(b));
        },
        a);
  }
};

}  // namespace

bool structurally_equal(const Expression& a, const Expression& b) { return Same<Expression>()(a, b); }
bool structurally_equal(const ExpressionPtr& a, const ExpressionPtr& b) { return Same<ExpressionPtr>()(a, b); }
bool structurally_equal(const Select& a, const Select& b) { return Same<Select>()(a, b); }
bool structurally_equal(const Statement& a, const Statement& b) { return Same<Statement>()(a, b); }

}  // namespace polarsim::engine::syntax
