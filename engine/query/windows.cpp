// WINDOW and OVER (PostgreSQL's transformWindowDefinitions() and transformFrameOffset(),
// src/backend/parser/parse_clause.c).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/query/analysis_parts.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

constexpr const char* windowing_error = "42P20";
using Specification = syntax::WindowSpecification;

// The types of a column and of offsets that may be added to it (pg_amproc's in_range functions of btree families).
struct RangeOffset {
  TypeId column;
  TypeId offset;
};
constexpr std::array<RangeOffset, 15> range_offsets{{{TypeId::int8, TypeId::int8},
                                                     {TypeId::int4, TypeId::int8},
                                                     {TypeId::int4, TypeId::int4},
                                                     {TypeId::int4, TypeId::int2},
                                                     {TypeId::int2, TypeId::int8},
                                                     {TypeId::int2, TypeId::int4},
                                                     {TypeId::int2, TypeId::int2},
                                                     {TypeId::float8, TypeId::float8},
                                                     {TypeId::float4, TypeId::float8},
                                                     {TypeId::numeric, TypeId::numeric},
                                                     {TypeId::date, TypeId::interval},
                                                     {TypeId::timestamp, TypeId::interval},
                                                     {TypeId::timestamptz, TypeId::interval},
                                                     {TypeId::interval, TypeId::interval},
                                                     {TypeId::time, TypeId::interval}}};

TypeId range_offset_type(TypeId column, const Expression& offset) {
  const TypeId given = offset.type.id;
  TypeId selected = TypeId::none;
  int offered = 0;
  int matches = 0;
  for (const RangeOffset& pair : range_offsets) {
    if (pair.column != column) continue;
    ++offered;
    if (pair.offset == given || (given == TypeId::unknown && pair.offset == column)) return pair.offset;
    if (given == TypeId::unknown || find_conversion(given, pair.offset, CastContext::implicit).possible()) {
      selected = pair.offset;
      ++matches;
    }
  }
  if (offered == 0) {
    throw SqlError(sqlstate::feature_not_supported,
                   fmt::format("RANGE with offset PRECEDING/FOLLOWING is not supported for column type {}",
                               type_info(column).element != TypeId::none ? "anyarray" : type_name(column)))
        .at(offset.position);
  }
  if (matches == 1) return selected;
  const char* problem = matches == 0 ? "is not supported" : "has multiple interpretations";
  throw SqlError(sqlstate::feature_not_supported,
                 fmt::format("RANGE with offset PRECEDING/FOLLOWING {} for column type {} and offset type {}", problem,
                             type_name(column), type_name(given)),
                 "",
                 matches == 0 ? "Cast the offset value to an appropriate type."
                              : "Cast the offset value to the exact intended type.")
      .at(offset.position);
}

ExpressionPtr analyse_offset(const syntax::ExpressionPtr& offset, const Window& window, QueryScope& scope) {
  if (offset == nullptr) return nullptr;
  const bool range = window.mode == Window::Mode::range;
  const bool rows = window.mode == Window::Mode::rows;
  const char* construct = range ? "RANGE" : rows ? "ROWS" : "GROUPS";
  ExpressionPtr expression = analyse_in(scope,
                                        range  ? Clause::window_range
                                        : rows ? Clause::window_rows
                                               : Clause::window_groups,
                                        offset);
  TypeId wanted = TypeId::int8;
  if (range) {
    const int target = window.order_by.front().target;
    wanted = range_offset_type(scope.query.targets[static_cast<std::size_t>(target)].expression->type.id, *expression);
  }
  expression = coerce_to_specific(expression, wanted, construct, scope);
  check_no_columns(expression, construct);
  return expression;
}

const Window& find_window(const std::vector<Window>& windows, const Specification& specification) {
  for (const Window& window : windows) {
    if (!window.name.empty() && window.name == specification.reference) return window;
  }
  throw SqlError(sqlstate::undefined_object, fmt::format("window \"{}\" does not exist", specification.reference))
      .at(specification.position);
}

[[noreturn]] void throw_windowing(std::string message, int position, std::string hint = "") {
  throw SqlError(windowing_error, std::move(message), "", std::move(hint)).at(position);
}

void refine(const Specification& specification, const Window& base, const Specification& base_specification,
            Window& window) {
  const int position = specification.position;
  if (!window.partition_by.empty()) {
    throw_windowing(fmt::format("cannot override PARTITION BY clause of window \"{}\"", base.name), position);
  }
  window.partition_by = base.partition_by;
  if (!window.order_by.empty() && !base.order_by.empty()) {
    throw_windowing(fmt::format("cannot override ORDER BY clause of window \"{}\"", base.name), position);
  }
  const bool ordered_here = !window.order_by.empty();
  if (!base.order_by.empty()) window.order_by = base.order_by;
  if (base_specification.frame_written) {
    const bool bare = specification.name.empty() && !ordered_here && !specification.frame_written;
    throw_windowing(fmt::format("cannot copy window \"{}\" because it has a frame clause", base.name), position,
                    bare ? "Omit the parentheses in this OVER clause." : "");
  }
}

void analyse_window(const Specification& specification, QueryScope& scope) {
  Query& query = scope.query;
  if (!specification.name.empty()) {
    for (const Window& known : query.windows) {
      if (known.name == specification.name) {
        throw_windowing(fmt::format("window \"{}\" is already defined", specification.name), specification.position);
      }
    }
  }
  const Window* base = specification.reference.empty() ? nullptr : &find_window(query.windows, specification);
  Window window;
  window.name = specification.name;
  window.mode = specification.mode;
  window.start = specification.start;
  window.end = specification.end;
  window.exclusion = specification.exclusion;
  window.order_by = analyse_order_by(specification.order_by, Clause::window_order, false, scope);
  for (const syntax::ExpressionPtr& item : specification.partition_by) {
    const int number = find_target(item, Clause::window_partition, false, scope);
    Target& target = query.targets[static_cast<std::size_t>(number)];
    if (target.expression->type.id == TypeId::unknown) target.expression = settle_unknown(target.expression, scope);
    require_equality(target.expression->type.id, item->position);
    if (!contains_target(window.partition_by, number)) window.partition_by.push_back(number);
  }
  if (base != nullptr) {
    const auto number = static_cast<std::size_t>(base - query.windows.data());
    refine(specification, *base, *scope.window_specifications[number], window);
  }
  const auto has_offset = [](Specification::Bound bound) {
    return bound == Specification::Bound::preceding || bound == Specification::Bound::following;
  };
  const bool range_offset = window.mode == Window::Mode::range && (has_offset(window.start) || has_offset(window.end));
  if (range_offset && window.order_by.size() != 1) {
    throw_windowing("RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column",
                    specification.position);
  }
  if (window.mode == Window::Mode::groups && window.order_by.empty()) {
    throw_windowing("GROUPS mode requires an ORDER BY clause", specification.position);
  }
  window.start_offset = analyse_offset(specification.start_offset, window, scope);
  window.end_offset = analyse_offset(specification.end_offset, window, scope);
  query.windows.push_back(std::move(window));
}

}  // namespace

void analyse_windows(QueryScope& scope) {
  // Those at calls may be more by the end: a window may not hold a call, but ORDER BY may.
  for (std::size_t i = 0; i < scope.window_specifications.size(); ++i) {
    analyse_window(*scope.window_specifications[i], scope);
  }
}

bool same_syntax(const syntax::ExpressionPtr& a, const syntax::ExpressionPtr& b) {
  if (a == b) return true;
  if (a == nullptr || b == nullptr) return false;
  const auto same_list = [](const auto& x, const auto& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), same_syntax);
  };
  const bool types =
      a->type_name == b->type_name ||
      (a->type_name != nullptr && b->type_name != nullptr && a->type_name->name == b->type_name->name &&
       a->type_name->schema == b->type_name->schema && a->type_name->modifiers == b->type_name->modifiers &&
       a->type_name->array_dimensions == b->type_name->array_dimensions);
  return a->kind == b->kind && a->name == b->name && a->path == b->path && a->schema == b->schema &&
         a->value == b->value && a->type == b->type && a->index == b->index && a->negated == b->negated &&
         a->star == b->star && a->distinct == b->distinct && a->all == b->all && a->symmetric == b->symmetric &&
         a->explicit_row == b->explicit_row && a->call == b->call && a->query == b->query && types &&
         a->subscripts.empty() && b->subscripts.empty() && same_syntax(a->operand, b->operand) &&
         same_list(a->arguments, b->arguments);
}

bool same_window_specification(const Specification& a, const Specification& b) {
  const auto same_item = [](const syntax::OrderItem& x, const syntax::OrderItem& y) {
    return x.descending == y.descending && x.nulls_first == y.nulls_first && x.using_operator == y.using_operator &&
           same_syntax(x.expression, y.expression);
  };
  return a.reference == b.reference && a.mode == b.mode && a.start == b.start && a.end == b.end &&
         a.exclusion == b.exclusion && a.frame_written == b.frame_written &&
         same_syntax(a.start_offset, b.start_offset) && same_syntax(a.end_offset, b.end_offset) &&
         std::equal(a.partition_by.begin(), a.partition_by.end(), b.partition_by.begin(), b.partition_by.end(),
                    same_syntax) &&
         std::equal(a.order_by.begin(), a.order_by.end(), b.order_by.begin(), b.order_by.end(), same_item);
}

}  // namespace polarsim::engine::query
