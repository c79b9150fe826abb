// What the values of operations say that are no transactions: integers, scalars, pairs, vectors and sets, read out of
// the EDN text that the history keeps. Strict: what is not exactly of the expected shape is refused, with the
// operation's index. One level at a time, so nothing recurses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "checkers/calls.h"
#include "checkers/history.h"

namespace polarsim::checkers {

// Why a value could not be read: one line for a person, "op 12: expected an integer, found [1 2]".
using ValueProblem = std::string;
template <typename T>
using Read = tl::expected<T, ValueProblem>;

// The EDN text of an event's value; it lives as long as the event. A transaction with steps, a transfer and a map of
// balances have none.
std::optional<std::string_view> form_of(const Value& value);

bool is_nil(std::string_view form);
std::optional<std::int64_t> as_integer(std::string_view form);
std::optional<bool> as_boolean(std::string_view form);
// An atom or a string by its text; integers lose a '+' or 'N', so that equal numbers have equal texts. Nil is none.
std::optional<std::string> as_scalar(std::string_view form);
// The elements of a vector, list or set, in order; a tag before it is skipped.
std::optional<std::vector<std::string_view>> elements_of(std::string_view form);

// "op 12: expected an integer, found [1 2]". A long form is cut.
tl::unexpected<ValueProblem> expected_but_found(const Event& event, std::string_view what);

// Reading one event's value, or the part of it that `form` is.
Read<std::string_view> read_form(const Event& event, std::string_view what);
Read<std::int64_t> read_integer(const Event& event, std::string_view form);
Read<std::string> read_scalar(const Event& event, std::string_view form);
// Sets, vectors and lists of scalars.
Read<std::vector<std::string>> read_scalars(const Event& event, std::string_view form);

// Jepsen's independent keys: the value is "[key value]".
struct KeyedForm {
  std::string key;  // empty: the history has no keys
  std::string_view value;
};
// True if every invocation has a value of two elements, of which the first is a scalar: then it is a key, in all of
// them.
bool has_independent_keys(const std::vector<Call>& calls);
// Splits the value of an event of such a history, or takes it whole.
Read<KeyedForm> read_keyed(const Event& event, bool keyed);

// Empty if the completion of what returns nothing says so: it has nil, or what was asked for.
ValueProblem check_echo(const Call& call);
// Refuses a call of an :f that is none of those that `expected` names.
ValueProblem unknown_function(const Call& call, std::string_view expected);

}  // namespace polarsim::checkers
