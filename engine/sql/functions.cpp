#include "engine/sql/functions.h"

#include <algorithm>
#include <limits>
#include <string>

#include "engine/sql/error.h"
#include "engine/sql/hash.h"

namespace polarsim::engine::sql {
namespace {

using Arguments = std::span<const Value* const>;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::size_t character_length(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && continues_character(text[end])) ++end;
  return end - at;
}

std::int64_t count_characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); });
}

Value length(Arguments a) { return Value::integer(count_characters(a[0]->as_text())); }
Value octet_length(Arguments a) { return Value::integer(static_cast<std::int64_t>(a[0]->as_text().size())); }

// As in the C locale, where only ASCII letters have a case.
Value lower(Arguments a) {
  std::string text(a[0]->as_text());
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return Value::text(std::move(text));
}

Value upper(Arguments a) {
  std::string text(a[0]->as_text());
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return Value::text(std::move(text));
}

Value abs_int4(Arguments a) { return Value::integer(checked_absolute(a[0]->as_integer(), TypeId::int4)); }
Value abs_int8(Arguments a) { return Value::integer(checked_absolute(a[0]->as_integer(), TypeId::int8)); }

Value mod(Arguments a) {
  const std::int64_t divisor = a[1]->as_integer();
  if (divisor == 0) throw SqlError(sqlstate::division_by_zero, "division by zero");
  // The one quotient that overflows has remainder zero.
  return Value::integer(divisor == -1 ? 0 : a[0]->as_integer() % divisor);
}

// Characters start..end-1 of the text, counted from 1; positions outside it are no error.
std::string characters_between(std::string_view text, std::int64_t start, std::int64_t end) {
  std::string out;
  std::int64_t position = 1;
  for (std::size_t at = 0; at < text.size() && position < end; ++position) {
    const std::size_t bytes = character_length(text, at);
    if (position >= start) out += text.substr(at, bytes);
    at += bytes;
  }
  return out;
}

Value substring_from(Arguments a) {
  return Value::text(characters_between(a[0]->as_text(), a[1]->as_integer(), std::numeric_limits<std::int64_t>::max()));
}

Value substring_for(Arguments a) {
  const std::int64_t count = a[2]->as_integer();
  if (count < 0) throw SqlError("22011", "negative substring length not allowed");
  return Value::text(characters_between(a[0]->as_text(), a[1]->as_integer(), a[1]->as_integer() + count));
}

Value position(Arguments a) {
  const std::string_view text = a[0]->as_text();
  const std::size_t found = text.find(a[1]->as_text());
  if (found == std::string_view::npos) return Value::integer(0);
  return Value::integer(count_characters(text.substr(0, found)) + 1);
}

Value replace(Arguments a) {
  const std::string_view text = a[0]->as_text();
  const std::string_view from = a[1]->as_text();
  if (from.empty()) return *a[0];
  std::string out;
  std::size_t at = 0;
  for (std::size_t found = text.find(from); found != std::string_view::npos; found = text.find(from, at)) {
    out.append(text.substr(at, found - at));
    out += a[2]->as_text();
    at = found + from.size();
  }
  return Value::text(out.append(text.substr(at)));
}

Value hash_int4(Arguments a) { return Value::integer(hash_value(*a[0], TypeId::int4)); }
Value hash_int8(Arguments a) { return Value::integer(hash_value(*a[0], TypeId::int8)); }
Value hash_text(Arguments a) { return Value::integer(hash_value(*a[0], TypeId::text)); }

// int8's hash serves int4, too: equal numbers hash equally.
Value worker_hash(Arguments a) {
  const TypeId type = a[0]->is_boolean() ? TypeId::boolean : (a[0]->is_integer() ? TypeId::int8 : TypeId::text);
  return Value::integer(hash_value(*a[0], type));
}

bool match(std::string_view text, std::string_view pattern) {
  // Where to resume when a match fails: after the last %, one character of the text further on.
  std::string_view retry_pattern;
  std::string_view retry_text;
  bool can_retry = false;
  for (;;) {
    if (!pattern.empty() && pattern.front() == '%') {
      pattern.remove_prefix(1);
      retry_pattern = pattern;
      retry_text = text;
      can_retry = true;
      continue;
    }
    if (pattern.empty() && text.empty()) return true;
    bool matched = false;
    if (!pattern.empty() && !text.empty()) {
      if (pattern.front() == '_') {
        text.remove_prefix(character_length(text, 0));
        pattern.remove_prefix(1);
        matched = true;
      } else {
        const std::size_t skip = pattern.front() == '\\' ? 1 : 0;
        if (skip == pattern.size()) throw SqlError("22025", "LIKE pattern must not end with escape character");
        if (pattern[skip] == text.front()) {
          pattern.remove_prefix(skip + 1);
          text.remove_prefix(1);
          matched = true;
        }
      }
    }
    if (matched) continue;
    if (!can_retry || retry_text.empty()) return false;
    retry_text.remove_prefix(character_length(retry_text, 0));
    text = retry_text;
    pattern = retry_pattern;
  }
}

std::vector<ScalarFunction> immutable_functions() {
  constexpr TypeId any = TypeId::unknown;
  constexpr TypeId int4 = TypeId::int4;
  constexpr TypeId int8 = TypeId::int8;
  constexpr TypeId text = TypeId::text;
  return {
      {"length", {text}, int4, length},
      {"char_length", {text}, int4, length},
      {"character_length", {text}, int4, length},
      {"octet_length", {text}, int4, octet_length},
      {"lower", {text}, text, lower},
      {"upper", {text}, text, upper},
      {"abs", {int4}, int4, abs_int4},
      {"abs", {int8}, int8, abs_int8},
      {"mod", {int4, int4}, int4, mod},
      {"mod", {int8, int8}, int8, mod},
      {"substring", {text, int4}, text, substring_from},
      {"substring", {text, int4, int4}, text, substring_for},
      {"substr", {text, int4}, text, substring_from},
      {"substr", {text, int4, int4}, text, substring_for},
      {"position", {text, text}, int4, position},
      {"strpos", {text, text}, int4, position},
      {"replace", {text, text, text}, text, replace},
      {"hashint4", {int4}, int4, hash_int4},
      {"hashint8", {int8}, int4, hash_int8},
      {"hashtext", {text}, int4, hash_text},
      {"worker_hash", {any}, int4, worker_hash},
  };
}

std::vector<ScalarFunction> session_functions() {
  using F = SessionFunction;
  constexpr TypeId any = TypeId::unknown;
  constexpr TypeId boolean = TypeId::boolean;
  constexpr TypeId int4 = TypeId::int4;
  constexpr TypeId int8 = TypeId::int8;
  constexpr TypeId text = TypeId::text;
  constexpr TypeId none = TypeId::text;
  std::vector<ScalarFunction> functions = {
      {"pg_backend_pid", {}, int4, nullptr, F::backend_pid},
      {"txid_current", {}, int8, nullptr, F::current_transaction},
      {"pg_current_xact_id", {}, int8, nullptr, F::current_transaction},
      {"txid_current_if_assigned", {}, int8, nullptr, F::current_transaction_if_any},
      {"pg_current_xact_id_if_assigned", {}, int8, nullptr, F::current_transaction_if_any},
      {"pg_advisory_unlock_all", {}, none, nullptr, F::advisory_unlock_all},
      {"pg_cancel_backend", {int4}, boolean, nullptr, F::cancel_backend},
      {"pg_terminate_backend", {int4}, boolean, nullptr, F::terminate_backend},
      {"nextval", {text}, int8, nullptr, F::next_value},
      {"currval", {text}, int8, nullptr, F::current_value},
      {"setval", {text, int8}, int8, nullptr, F::set_value},
      {"setval", {text, int8, boolean}, int8, nullptr, F::set_value},
      {"lastval", {}, int8, nullptr, F::last_value},
      {"pg_sleep", {any}, none, nullptr, F::sleep},
      {"current_setting", {text}, text, nullptr, F::current_setting},
      {"current_setting", {text, boolean}, text, nullptr, F::current_setting},
  };
  struct Advisory {
    std::string_view name;
    TypeId result;
    SessionFunction function;
  };
  constexpr Advisory advisory[] = {
      {"pg_advisory_lock", none, F::advisory_lock},
      {"pg_advisory_lock_shared", none, F::advisory_lock_shared},
      {"pg_advisory_xact_lock", none, F::advisory_xact_lock},
      {"pg_advisory_xact_lock_shared", none, F::advisory_xact_lock_shared},
      {"pg_try_advisory_lock", boolean, F::try_advisory_lock},
      {"pg_try_advisory_lock_shared", boolean, F::try_advisory_lock_shared},
      {"pg_try_advisory_xact_lock", boolean, F::try_advisory_xact_lock},
      {"pg_try_advisory_xact_lock_shared", boolean, F::try_advisory_xact_lock_shared},
      {"pg_advisory_unlock", boolean, F::advisory_unlock},
      {"pg_advisory_unlock_shared", boolean, F::advisory_unlock_shared},
  };
  for (const Advisory& each : advisory) {
    functions.push_back({each.name, {int8}, each.result, nullptr, each.function});
    functions.push_back({each.name, {int4, int4}, each.result, nullptr, each.function});
  }
  return functions;
}

}  // namespace

const std::vector<ScalarFunction>& scalar_functions() {
  static const std::vector<ScalarFunction> functions = [] {
    std::vector<ScalarFunction> all = immutable_functions();
    for (ScalarFunction& function : session_functions()) all.push_back(std::move(function));
    return all;
  }();
  return functions;
}

bool is_immutable_function(std::string_view name) {
  const auto& all = scalar_functions();
  return std::any_of(all.begin(), all.end(), [&](const ScalarFunction& function) {
    return function.name == name && function.session == SessionFunction::none;
  });
}

bool is_session_function(std::string_view name) {
  const auto& all = scalar_functions();
  return std::any_of(all.begin(), all.end(), [&](const ScalarFunction& function) {
    return function.name == name && function.session != SessionFunction::none;
  });
}

bool matches_like(std::string_view text, std::string_view pattern) { return match(text, pattern); }

void throw_out_of_range(TypeId type) {
  throw SqlError(sqlstate::numeric_value_out_of_range, std::string(type_name(type)) + " out of range");
}

std::int64_t checked_absolute(std::int64_t value, TypeId type) {
  const std::int64_t lowest =
      type == TypeId::int4 ? std::numeric_limits<std::int32_t>::min() : std::numeric_limits<std::int64_t>::min();
  if (value == lowest) throw_out_of_range(type);
  return value < 0 ? -value : value;
}

}  // namespace polarsim::engine::sql
