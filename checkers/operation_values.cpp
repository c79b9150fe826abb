#include "checkers/operation_values.h"

#include <algorithm>
#include <utility>

#include "checkers/edn_scanner.h"

namespace polarsim::checkers {

namespace {

constexpr std::size_t longest_shown = 80;

// A tag such as #jepsen.history.Tuple says nothing that the form does not; "#{" opens a set.
bool skip_tag(EdnScanner& scanner) {
  const std::size_t start = scanner.position();
  if (scanner.peek() != '#') return true;
  scanner.take_atom();
  if (scanner.since(start) != "#") return scanner.skip_blanks();
  return scanner.peek() == '{';
}

std::string shown(std::string_view form) {
  return form.size() <= longest_shown ? std::string(form) : std::string(form.substr(0, longest_shown)) + "...";
}

tl::unexpected<ValueProblem> problem(const Event& event, std::string_view what, std::string_view found) {
  return tl::unexpected("op " + std::to_string(event.index) + " (" + (event.f.empty() ? "no :f" : ":" + event.f) +
                        "): expected " + std::string(what) + ", found " + shown(found));
}

}  // namespace

std::optional<std::string_view> form_of(const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return "nil";
  if (const auto* opaque = std::get_if<Opaque>(&value)) return opaque->edn;
  const auto* transaction = std::get_if<Transaction>(&value);
  if (transaction != nullptr && transaction->empty()) return "[]";
  return std::nullopt;
}

bool is_nil(std::string_view form) { return form == "nil"; }

std::optional<std::int64_t> as_integer(std::string_view form) {
  EdnScanner scanner(form);
  std::int64_t value = 0;
  if (!scanner.take_integer(value) || !scanner.at_end()) return std::nullopt;
  return value;
}

std::optional<bool> as_boolean(std::string_view form) {
  if (form == "true") return true;
  if (form == "false") return false;
  return std::nullopt;
}

std::optional<std::string> as_scalar(std::string_view form) {
  if (const auto integer = as_integer(form)) return std::to_string(*integer);
  if (form.empty() || is_nil(form) || form[0] == '#') return std::nullopt;
  EdnScanner scanner(form);
  if (form[0] == '"') {
    if (!scanner.skip_string() || !scanner.at_end()) return std::nullopt;
  } else if (scanner.take_atom().size() != form.size()) {
    return std::nullopt;
  }
  return std::string(form);
}

std::optional<std::vector<std::string_view>> elements_of(std::string_view form) {
  EdnScanner scanner(form);
  if (!skip_tag(scanner)) return std::nullopt;
  const bool set = scanner.position() > 0 && form[scanner.position() - 1] == '#';
  char closer = '\0';
  if (set && scanner.take('{')) {
    closer = '}';
  } else if (scanner.take('[')) {
    closer = ']';
  } else if (scanner.take('(')) {
    closer = ')';
  } else {
    return std::nullopt;
  }
  std::vector<std::string_view> elements;
  while (true) {
    if (!scanner.skip_blanks()) return std::nullopt;
    if (scanner.take(closer)) break;
    const std::size_t start = scanner.position();
    if (scanner.at_end() || !scanner.skip_form()) return std::nullopt;
    elements.push_back(scanner.since(start));
  }
  if (!scanner.at_end()) return std::nullopt;
  return elements;
}

tl::unexpected<ValueProblem> expected_but_found(const Event& event, std::string_view what) {
  if (const auto form = form_of(event.value)) return problem(event, what, *form);
  const bool transaction = std::holds_alternative<Transaction>(event.value);
  return problem(event, what, transaction ? "a transaction" : "a map");
}

Read<std::string_view> read_form(const Event& event, std::string_view what) {
  if (const auto form = form_of(event.value)) return *form;
  return expected_but_found(event, what);
}

Read<std::int64_t> read_integer(const Event& event, std::string_view form) {
  if (const auto integer = as_integer(form)) return *integer;
  return problem(event, "a 64-bit integer", form);
}

Read<std::string> read_scalar(const Event& event, std::string_view form) {
  if (auto scalar = as_scalar(form)) return std::move(*scalar);
  return problem(event, "a number, keyword, symbol or string", form);
}

Read<std::vector<std::string>> read_scalars(const Event& event, std::string_view form) {
  const auto elements = elements_of(form);
  if (!elements) return problem(event, "a set, vector or list of elements", form);
  std::vector<std::string> scalars;
  scalars.reserve(elements->size());
  for (const std::string_view element : *elements) {
    auto scalar = read_scalar(event, element);
    if (!scalar) return tl::unexpected(std::move(scalar.error()));
    scalars.push_back(std::move(*scalar));
  }
  return scalars;
}

bool has_independent_keys(const std::vector<Call>& calls) {
  return !calls.empty() && std::all_of(calls.begin(), calls.end(), [](const Call& call) {
    const auto form = form_of(call.invocation->value);
    if (!form) return false;
    const auto elements = elements_of(*form);
    return elements && elements->size() == 2 && as_scalar(elements->front()).has_value();
  });
}

Read<KeyedForm> read_keyed(const Event& event, bool keyed) {
  const auto form = read_form(event, keyed ? "[key value]" : "a value that is no transaction and no map");
  if (!form) return tl::unexpected(form.error());
  if (!keyed) return KeyedForm{{}, *form};
  const auto elements = elements_of(*form);
  if (!elements || elements->size() != 2) return expected_but_found(event, "[key value]");
  auto key = read_scalar(event, elements->front());
  if (!key) return tl::unexpected(std::move(key.error()));
  return KeyedForm{std::move(*key), elements->back()};
}

ValueProblem check_echo(const Call& call) {
  if (!call.ok()) return {};
  const auto asked = form_of(call.invocation->value);
  const auto answered = form_of(call.completion->value);
  if (answered && (is_nil(*answered) || answered == asked)) return {};
  return expected_but_found(*call.completion,
                            "what was asked for, " + std::string(asked.value_or("a map")) + ", or nil")
      .value();
}

ValueProblem unknown_function(const Call& call, std::string_view expected) {
  return "op " + std::to_string(call.index()) + ": expected " + std::string(expected) +
         " after :f, found :" + call.invocation->f;
}

}  // namespace polarsim::checkers
