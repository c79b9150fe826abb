// The parts of the analysis of statements, as they use each other: one .cpp each. Private to it; see analysis.h for
// what others use and scope.h for what a scope is.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/query/scope.h"

namespace polarsim::engine::query {

// A query that is still being worked on; whoever holds the last say makes it a QueryPtr.
using MutableQueryPtr = std::shared_ptr<Query>;

// --- select_analysis.cpp ---

MutableQueryPtr analyse_select(const syntax::Select& select, QueryScope& scope);
MutableQueryPtr analyse_values(const syntax::Select& select, QueryScope& scope);
// WITH, ORDER BY, LIMIT, locking.
void analyse_limit(const syntax::Select& select, QueryScope& scope);
// The target's type must be `type`, or become it by assignment: 42804 "argument of LIMIT must be type bigint, not ...".
ExpressionPtr coerce_to_specific(const ExpressionPtr& expression, TypeId type, std::string_view construct,
                                 QueryScope& scope);
// 42P10 "argument of LIMIT must not contain variables".
void check_no_columns(const ExpressionPtr& expression, std::string_view construct);

// --- from_clause.cpp, range_table.cpp ---

void analyse_from(const std::vector<syntax::FromItemPtr>& items, QueryScope& scope);
// 42P01 "relation \"x\" does not exist"; 42809 for what has no rows.
RelationPtr open_relation(const syntax::TableName& name, syntax::TableLockMode lock, QueryScope& scope);
// Each adds an entry to the range table and gives its number; the caller adds a name for it.
int add_relation_entry(const RelationPtr& relation, const syntax::TableName& name, syntax::TableLockMode lock,
                       QueryScope& scope);
int add_subquery_entry(QueryPtr query, std::string_view alias, const std::vector<std::string>& column_aliases,
                       bool lateral, QueryScope& scope);
int add_values_entry(std::vector<std::vector<ExpressionPtr>> rows, const std::vector<Type>& types, QueryScope& scope);
int add_function_entry(const syntax::FromFunction& function, const syntax::FromItem& item, QueryScope& scope);
// Puts column aliases over the names; `kind`: "table", "join".
void rename_columns(std::vector<OutputName>& columns, const std::vector<std::string>& aliases, std::string_view alias);
// Joins: range of names on either side, see join_clause.cpp. Gives the names that both together offer.
JoinTreePtr analyse_from_item(const syntax::FromItem& item, QueryScope& scope, std::vector<NamespaceItem>& names);
JoinTreePtr analyse_join(const syntax::FromItem& item, const syntax::FromJoin& join, QueryScope& scope,
                         std::vector<NamespaceItem>& names);
void set_lateral(std::span<NamespaceItem> names, bool only, bool ok);
JoinTreePtr make_leaf(int entry);

// --- target_list.cpp ---

std::vector<Target> analyse_targets(const std::vector<syntax::SelectItem>& items, Clause clause, QueryScope& scope);
void settle_targets(std::vector<Target>& targets, QueryScope& scope);
void mark_origins(std::vector<Target>& targets, QueryScope& scope);
// The target that an item of ORDER BY and the like means, made (hidden) if there is none. `by_name`: names and numbers
// of output columns are understood (SQL-92).
int find_target(const syntax::ExpressionPtr& item, Clause clause, bool by_name, QueryScope& scope);
std::vector<SortClause> analyse_order_by(const std::vector<syntax::OrderItem>& items, Clause clause, bool by_name,
                                         QueryScope& scope);
void analyse_distinct(const syntax::Select& select, QueryScope& scope);
// 42883 if values of the type have no equality (or no order).
void require_equality(TypeId type, int position);
void require_order(TypeId type, int position);
bool contains_target(const std::vector<int>& targets, int target);

// --- grouping.cpp ---

void analyse_group_by(const syntax::Select& select, QueryScope& scope);
// Refuses columns that are not grouped; also finishes GROUPING().
void check_grouping(const syntax::Select& select, QueryScope& scope);

// --- windows.cpp ---

void analyse_windows(QueryScope& scope);
bool same_window_specification(const syntax::WindowSpecification& a, const syntax::WindowSpecification& b);
bool same_syntax(const syntax::ExpressionPtr& a, const syntax::ExpressionPtr& b);

// --- set_operations.cpp ---

MutableQueryPtr analyse_set_operation(const syntax::Select& select, QueryScope& scope);

// --- common_tables.cpp ---

void analyse_with(const syntax::With& with, QueryScope& scope);
// The entry for a common table of the name; -1 if none can be seen here.
int add_common_table_entry(const syntax::TableName& name, QueryScope& scope);
// Order in which they can be analysed, and 42P19 for what recursion must not do (recursion.cpp).
std::vector<std::size_t> order_common_tables(const syntax::With& with, std::vector<bool>& recursive);
void check_recursion(const syntax::CommonTable& table);
// In a recursive common table, after its first part is known: what its columns are.
void set_recursive_columns(const Query& first_part, QueryScope& scope);

// --- locking.cpp ---

void analyse_locking(const syntax::Select& select, QueryScope& scope);
bool is_locked(std::string_view name, const QueryScope& scope);

// --- insert_analysis.cpp, on_conflict.cpp, update_analysis.cpp, assignment.cpp ---

MutableQueryPtr analyse_insert(const syntax::Insert& insert, QueryScope& scope);
MutableQueryPtr analyse_update(const syntax::Update& update, QueryScope& scope);
MutableQueryPtr analyse_delete(const syntax::Delete& removal, QueryScope& scope);
void analyse_on_conflict(const syntax::Insert& insert, const Relation& relation, QueryScope& scope);
void analyse_returning(const std::vector<syntax::SelectItem>& items, QueryScope& scope);
// The table of a statement that changes rows, open and allowed to be changed; or a view, see refuse_view().
RelationPtr open_changed_relation(const syntax::TableName& name, QueryScope& scope);
// SET of UPDATE and of ON CONFLICT DO UPDATE: targets in order of the table's columns.
std::vector<Target> analyse_assignments(const std::vector<syntax::Assignment>& assignments, const Relation& relation,
                                        QueryScope& scope);
// One value for a column or a part of it. `value` is analysed already; `position` is that of the column's name.
ExpressionPtr assign(const ExpressionPtr& value, const RelationColumn& column, ExpressionPtr container,
                     std::span<const syntax::Expression::Subscript> subscripts, int position, QueryScope& scope);
// The default of a column, NULL if it has none.
ExpressionPtr default_of(const RelationColumn& column, QueryScope& scope);

// --- views.cpp ---

// What a view selects.
QueryPtr analyse_view(const Relation& view, QueryScope& scope);
// Throws if the relation is a view, after the statement has been analysed as if it could be changed. `verb`: "insert
// into", "update", "delete from".
void refuse_view(const Relation& relation, std::string_view verb, QueryScope& scope);

}  // namespace polarsim::engine::query
