#include "engine/query/function_resolution.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "engine/query/type_resolution.h"

namespace polarsim::engine::query {
namespace {

struct Candidate {
  const FunctionEntry* entry = nullptr;
  boost::container::small_vector<TypeId, 8> types;  // of every argument, defaults included
  boost::container::small_vector<int, 8> order;
  std::size_t variadic_count = 0;
  std::size_t default_count = 0;
  bool ambiguous = false;  // another one fits just as well
};
using Candidates = boost::container::small_vector<Candidate, 8>;

// The element that a variadic function's last argument stands for many of.
TypeId variadic_element(const FunctionEntry& entry) {
  switch (const TypeId last = entry.arguments.back()) {
    case TypeId::any:
      return TypeId::any;
    case TypeId::any_array:
      return TypeId::any_element;
    case TypeId::any_compatible_array:
      return TypeId::any_compatible;
    default:
      return element_type(last);
  }
}

// Arguments by name: where each of the function's finds its value (MatchNamedCall). False: the names do not fit.
bool match_names(const FunctionEntry& entry, const FunctionName& name, Candidate& candidate) {
  const std::size_t total = entry.arguments.size();
  const std::size_t positional = name.types.size() - name.argument_names.size();
  if (entry.argument_names.size() < total) return false;
  candidate.order.assign(total, -1);
  for (std::size_t i = 0; i < positional; ++i) candidate.order[i] = static_cast<int>(i);
  for (std::size_t i = 0; i < name.argument_names.size(); ++i) {
    const auto begin = entry.argument_names.begin();
    const auto end = begin + static_cast<std::ptrdiff_t>(total);
    const auto found =
        std::find_if(begin, end, [&](const char* each) { return name.argument_names[i] == std::string_view(each); });
    if (found == end) return false;
    int& place = candidate.order[static_cast<std::size_t>(found - begin)];
    if (place >= 0) return false;
    place = static_cast<int>(positional + i);
  }
  for (std::size_t i = 0; i < total; ++i) {
    if (candidate.order[i] < 0 && i + entry.defaults.size() < total) return false;
  }
  return true;
}

std::optional<Candidate> match_count(const FunctionEntry& entry, const FunctionName& name) {
  const std::size_t given = name.types.size();
  const std::size_t total = entry.arguments.size();
  const bool named = !name.argument_names.empty();
  if (named && entry.variadic && !name.variadic_written) return {};
  const bool expand = entry.variadic && !named && !name.variadic_written && total <= given;
  if (total > given && given + entry.defaults.size() < total) return {};
  if (total < given && !expand) return {};
  Candidate candidate;
  candidate.entry = &entry;
  candidate.types.assign(entry.arguments.begin(), entry.arguments.end());
  if (total > given) candidate.default_count = total - given;
  if (named && !match_names(entry, name, candidate)) return {};
  if (expand) {
    candidate.variadic_count = given - total + 1;
    candidate.types.pop_back();
    candidate.types.resize(given, variadic_element(entry));
  }
  return candidate;
}

// The types of the arguments written, in the order written.
boost::container::small_vector<TypeId, 8> written_types(const Candidate& candidate, std::size_t given) {
  boost::container::small_vector<TypeId, 8> types;
  if (candidate.order.empty()) {
    types.assign(candidate.types.begin(), candidate.types.begin() + static_cast<std::ptrdiff_t>(given));
    return types;
  }
  types.resize(given, TypeId::none);
  for (std::size_t i = 0; i < candidate.order.size(); ++i) {
    if (candidate.order[i] >= 0) types[static_cast<std::size_t>(candidate.order[i])] = candidate.types[i];
  }
  return types;
}

// Of two that take the same types, one without VARIADIC is meant; else it cannot be told which.
void add_candidate(Candidates& candidates, Candidate candidate, std::size_t given) {
  if (candidate.variadic_count > 0 || candidate.default_count > 0) {
    for (Candidate& other : candidates) {
      if (written_types(other, given) != written_types(candidate, given)) continue;
      if (other.variadic_count == 0 && candidate.variadic_count > 0) return;
      if (other.variadic_count > 0 && candidate.variadic_count == 0) {
        other = std::move(candidate);
      } else {
        other.ambiguous = true;
      }
      return;
    }
  }
  candidates.push_back(std::move(candidate));
}

FunctionChoice chosen(const Candidate& candidate) {
  if (candidate.ambiguous) return {FunctionChoice::Kind::ambiguous};
  FunctionChoice choice{FunctionChoice::Kind::function, candidate.entry};
  choice.declared.assign(candidate.types.begin(), candidate.types.end());
  choice.order.assign(candidate.order.begin(), candidate.order.end());
  choice.variadic_count = candidate.variadic_count;
  return choice;
}

// A call of a type's name with one argument may be a cast: of a literal, or where nothing is computed but text.
std::optional<FunctionChoice> functional_cast(const FunctionName& name) {
  if (name.types.size() != 1 || !name.argument_names.empty()) return {};
  const TypeInfo* target = find_type(name.name);
  if (target == nullptr) return {};
  const TypeId source = name.types[0];
  if (source != TypeId::unknown) {
    const Conversion conversion = find_conversion(source, target->id, CastContext::explicit_only);
    const bool by_text = conversion.kind == Conversion::Kind::by_text &&
                         !(source == TypeId::record && target->category == TypeCategory::string);
    if (conversion.kind != Conversion::Kind::relabel && !by_text) return {};
  }
  FunctionChoice choice{FunctionChoice::Kind::cast};
  choice.cast_target = target->id;
  return choice;
}

FunctionChoice choose_by_conversion(const Candidates& candidates, const FunctionName& name) {
  boost::container::small_vector<const Candidate*, 8> possible;
  boost::container::small_vector<TypeId, 32> types;
  for (const Candidate& candidate : candidates) {
    const auto wanted = written_types(candidate, name.types.size());
    if (!can_coerce(name.types, wanted, CastContext::implicit)) continue;
    possible.push_back(&candidate);
    types.insert(types.end(), wanted.begin(), wanted.end());
  }
  if (possible.empty()) return {};
  if (possible.size() == 1) return chosen(*possible[0]);
  const int best = select_candidate(name.types, types);
  if (best < 0) return {FunctionChoice::Kind::ambiguous};
  return chosen(*possible[static_cast<std::size_t>(best)]);
}

}  // namespace

FunctionChoice choose_function(const FunctionName& name) {
  Candidates candidates;
  for (const FunctionEntry* entry : functions_named(name.name)) {
    if (std::optional<Candidate> candidate = match_count(*entry, name))
      add_candidate(candidates, *std::move(candidate), name.types.size());
  }
  for (const Candidate& candidate : candidates) {
    if (std::ranges::equal(written_types(candidate, name.types.size()), name.types)) return chosen(candidate);
  }
  if (const auto cast = functional_cast(name)) return *cast;
  return choose_by_conversion(candidates, name);
}

const char* default_of(const FunctionEntry& entry, std::size_t argument) {
  return entry.defaults[argument + entry.defaults.size() - entry.arguments.size()];
}

}  // namespace polarsim::engine::query
