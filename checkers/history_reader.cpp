// Reading histories: a front end for events on top of EdnScanner, in one pass.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <optional>
#include <utility>

#include "checkers/edn_scanner.h"
#include "checkers/history.h"

namespace polarsim::checkers {

namespace {

class HistoryReader {
 public:
  HistoryReader(std::string_view text, std::string_view name) : scanner_(text), name_(name) {
    if (text.starts_with("\xef\xbb\xbf")) scanner_.set_position(3);
  }

  tl::expected<History, ReadError> read() {
    if (!read_top_level()) return tl::unexpected(error());
    resolve_nil_reads();
    return std::move(history_);
  }

 private:
  bool read_top_level();
  bool read_event();
  bool read_field(Event& event, bool json);
  bool read_type(Event& event);
  bool read_process(Event& event);
  bool read_function(Event& event);
  bool read_number(std::int64_t& value, std::string_view field);
  bool read_value(Event& event, bool json);
  std::optional<Transaction> try_transaction();
  bool try_micro_op(Transaction& transaction);
  bool try_read_result(MicroOp& op);
  bool try_key(std::int64_t& key);
  std::optional<Value> try_map();
  bool check_event(const Event& event, std::size_t where);
  void resolve_nil_reads();
  std::string name_here();
  ReadError error() const;

  // What a field turned out to be; each may appear once.
  enum Field : unsigned {
    index_field = 1,
    time_field = 2,
    type_field = 4,
    process_field = 8,
    function_field = 16,
    value_field = 32
  };
  bool first_time(unsigned field, std::size_t where, std::string_view name);

  EdnScanner scanner_;
  std::string_view name_;
  History history_;
  unsigned seen_ = 0;
  bool has_lists_ = false;
  boost::unordered_flat_map<std::string, std::int64_t> key_numbers_;
  boost::unordered_flat_map<std::string, std::int64_t> process_numbers_;
  boost::unordered_flat_map<std::int64_t, std::size_t> open_;  // process -> position of its invocation
};

ReadError HistoryReader::error() const {
  ReadError result;
  const std::string_view before =
      scanner_.text().substr(0, std::min(scanner_.error_position(), scanner_.text().size()));
  result.line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t newline = before.rfind('\n');
  result.column =
      static_cast<std::int64_t>(newline == std::string_view::npos ? before.size() + 1 : before.size() - newline);
  result.message = std::string(name_) + ":" + std::to_string(result.line) + ":" + std::to_string(result.column) + ": " +
                   scanner_.error();
  return result;
}

bool HistoryReader::read_top_level() {
  if (!scanner_.skip_blanks()) return false;
  const std::size_t start = scanner_.position();
  char closer = '\0';
  if (scanner_.take('[')) {
    closer = ']';
  } else if (scanner_.take('(')) {
    closer = ')';
  }
  while (true) {
    if (!scanner_.skip_blanks()) return false;
    if (scanner_.at_end()) {
      return closer == '\0' || scanner_.fail(start, std::string("this history never ends: expected '") + closer + "'");
    }
    if (closer != '\0' && scanner_.take(closer)) {
      if (!scanner_.skip_blanks()) return false;
      return scanner_.at_end() || scanner_.fail(scanner_.position(), "expected nothing after the history, found " +
                                                                         scanner_.describe_here());
    }
    if (!read_event()) return false;
  }
}

// The name of a map key: a keyword without its colon, or a string without its quotes. Empty (and an error) for anything
// else.
std::string HistoryReader::name_here() {
  const std::size_t start = scanner_.position();
  if (scanner_.peek() == '"') {
    if (!scanner_.skip_string()) return {};
    const std::string_view text = scanner_.since(start);
    return std::string(text.substr(1, text.size() - 2));
  }
  if (scanner_.take(':')) {
    const std::string_view atom = scanner_.take_atom();
    if (!atom.empty()) return std::string(atom);
  }
  scanner_.set_position(start);
  scanner_.fail(start, "expected a field name such as :process, found " + scanner_.describe_here());
  return {};
}

bool HistoryReader::read_event() {
  if (scanner_.peek() == '#') {  // A tag such as #jepsen.history.Op says nothing that the map does not.
    scanner_.take_atom();
    if (!scanner_.skip_blanks()) return false;
  }
  const std::size_t start = scanner_.position();
  if (!scanner_.take('{'))
    return scanner_.fail(start, "expected a map (one event of the history), found " + scanner_.describe_here());
  Event event;
  seen_ = 0;
  while (true) {
    if (!scanner_.skip_blanks()) return false;
    if (scanner_.take('}')) break;
    if (scanner_.at_end()) return scanner_.fail(start, "this event never ends: expected '}'");
    if (!read_field(event, scanner_.peek() == '"')) return false;
  }
  if ((seen_ & type_field) == 0) return scanner_.fail(start, "this event has no :type");
  if ((seen_ & process_field) == 0) return scanner_.fail(start, "this event has no :process");
  const Event* previous = history_.events.empty() ? nullptr : &history_.events.back();
  if ((seen_ & index_field) == 0) event.index = previous == nullptr ? 0 : previous->index + 1;
  if ((seen_ & time_field) == 0) event.time_ns = previous == nullptr ? 0 : previous->time_ns;
  if (!check_event(event, start)) return false;
  history_.events.push_back(std::move(event));
  return true;
}

bool HistoryReader::first_time(unsigned field, std::size_t where, std::string_view name) {
  if ((seen_ & field) != 0) return scanner_.fail(where, "a second :" + std::string(name) + " in one event");
  seen_ |= field;
  return true;
}

bool HistoryReader::read_field(Event& event, bool json) {
  const std::size_t where = scanner_.position();
  std::string name = name_here();
  if (scanner_.failed()) return false;
  if (!scanner_.skip_blanks()) return false;
  if (json && scanner_.take(':') && !scanner_.skip_blanks()) return false;
  const char c = scanner_.peek();
  if (scanner_.at_end() || c == '}' || c == ']' || c == ')') {
    return scanner_.fail(scanner_.position(),
                         "expected a map value after :" + name + ", found " + scanner_.describe_here());
  }
  if (name == "index") return first_time(index_field, where, name) && read_number(event.index, name);
  if (name == "time") return first_time(time_field, where, name) && read_number(event.time_ns, name);
  if (name == "type") return first_time(type_field, where, name) && read_type(event);
  if (name == "process") return first_time(process_field, where, name) && read_process(event);
  if (name == "f") return first_time(function_field, where, name) && read_function(event);
  if (name == "value") return first_time(value_field, where, name) && read_value(event, json);
  if (name.empty() || name.find_first_of(" \t\n\r,;()[]{}\"\\") != std::string::npos) {
    return scanner_.fail(where, "this field name cannot be a keyword");
  }
  for (const auto& field : event.extra) {
    if (field.first == name) return scanner_.fail(where, "a second :" + name + " in one event");
  }
  const std::size_t start = scanner_.position();
  if (!scanner_.skip_form()) return false;
  event.extra.emplace_back(std::move(name), normalise_form(scanner_.since(start), json));
  return true;
}

bool HistoryReader::read_number(std::int64_t& value, std::string_view field) {
  if (scanner_.take_integer(value)) return true;
  return scanner_.fail(scanner_.position(), "expected a 64-bit integer after :" + std::string(field) + ", found " +
                                                scanner_.describe_here());
}

bool HistoryReader::read_type(Event& event) {
  const std::size_t start = scanner_.position();
  const std::string name = name_here();
  for (const EventType type : {EventType::invoke, EventType::ok, EventType::fail, EventType::info}) {
    if (name != to_string(type)) continue;
    event.type = type;
    return true;
  }
  if (scanner_.failed()) return false;
  return scanner_.fail(start, "expected :invoke, :ok, :fail or :info after :type, found :" + name);
}

bool HistoryReader::read_process(Event& event) {
  const std::size_t start = scanner_.position();
  if (scanner_.take_integer(event.process)) {
    return event.process >= 0 || scanner_.fail(start, "a process number must not be negative");
  }
  const std::string name = name_here();
  if (scanner_.failed()) return false;
  if (name == "nemesis") {
    event.process = nemesis_process;
    return true;
  }
  std::string text(scanner_.since(start));
  const auto [entry, added] = process_numbers_.try_emplace(
      text, nemesis_process - 1 - static_cast<std::int64_t>(history_.process_names.size()));
  if (added) history_.process_names.push_back(std::move(text));
  event.process = entry->second;
  return true;
}

bool HistoryReader::read_function(Event& event) {
  const std::size_t start = scanner_.position();
  if (scanner_.peek() == ':') {
    event.f = name_here();
    return !scanner_.failed();
  }
  if (scanner_.peek() == '"') {
    if (!scanner_.skip_string()) return false;
    const std::string_view quoted = scanner_.since(start);
    for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
      const bool escape = quoted[i] == '\\';
      if (escape) ++i;
      event.f += escape && quoted[i] == 'n' ? '\n' : quoted[i];
    }
    return true;
  }
  if (!scanner_.skip_form()) return false;
  if (scanner_.since(start) == "nil" || scanner_.since(start) == "null") return true;
  return scanner_.fail(start, "expected a keyword after :f");
}

// A value is read as what its shape says; a shape no checker knows is kept as text.
bool HistoryReader::read_value(Event& event, bool json) {
  const std::size_t start = scanner_.position();
  if (scanner_.peek() == '[') {
    if (auto transaction = try_transaction();
        transaction.has_value() && (!transaction->empty() || event.f == "txn" || event.f.empty())) {
      event.value = std::move(*transaction);
      return true;
    }
  } else if (scanner_.peek() == '{') {
    if (auto value = try_map()) {
      event.value = std::move(*value);
      return true;
    }
  }
  if (scanner_.failed()) return false;
  scanner_.set_position(start);
  if (!scanner_.skip_form()) return false;
  const std::string_view form = scanner_.since(start);
  if (form == "nil" || form == "null") return true;
  event.value = Opaque{normalise_form(form, json)};
  return true;
}

std::optional<Transaction> HistoryReader::try_transaction() {
  Transaction transaction;
  scanner_.take('[');
  while (true) {
    if (!scanner_.skip_blanks()) return std::nullopt;
    if (scanner_.take(']')) return transaction;
    if (!try_micro_op(transaction)) return std::nullopt;
  }
}

bool HistoryReader::try_micro_op(Transaction& transaction) {
  if (!scanner_.take('[') || !scanner_.skip_blanks()) return false;
  std::string_view name;
  if (scanner_.take(':')) {
    name = scanner_.take_atom();
  } else if (scanner_.peek() == '"') {
    const std::size_t start = scanner_.position();
    if (!scanner_.skip_string()) return false;
    name = scanner_.since(start);
    name = name.substr(1, name.size() - 2);
  }
  MicroOp op;
  if (name == "append") {
    op.kind = MicroOp::Kind::append;
  } else if (name == "w") {
    op.kind = MicroOp::Kind::write;
  } else if (name != "r") {
    return false;
  }
  if (!scanner_.skip_blanks() || !try_key(op.key) || !scanner_.skip_blanks()) return false;
  const bool complete = op.kind == MicroOp::Kind::read ? try_read_result(op) : scanner_.take_integer(op.argument);
  if (!complete || !scanner_.skip_blanks() || !scanner_.take(']')) return false;
  has_lists_ = has_lists_ || op.kind == MicroOp::Kind::append || op.kind == MicroOp::Kind::read_list;
  transaction.push_back(std::move(op));
  return true;
}

bool HistoryReader::try_read_result(MicroOp& op) {
  if (scanner_.take_integer(op.argument)) {
    op.known = true;
    return true;
  }
  if (!scanner_.take('[')) {
    const std::string_view atom = scanner_.take_atom();
    return atom == "nil" || atom == "null";
  }
  op.kind = MicroOp::Kind::read_list;
  op.known = true;
  while (true) {
    if (!scanner_.skip_blanks()) return false;
    if (scanner_.take(']')) return true;
    std::int64_t element = 0;
    if (!scanner_.take_integer(element)) return false;
    op.list.push_back(element);
  }
}

bool HistoryReader::try_key(std::int64_t& key) {
  const std::size_t start = scanner_.position();
  if (scanner_.take_integer(key) && key >= first_named_key + named_key_limit) return true;
  scanner_.set_position(start);
  const char c = scanner_.peek();
  if (c == '[' || c == '{' || c == '(' || c == '#' || c == ']') return false;
  if (!scanner_.skip_form()) return false;
  std::string text(scanner_.since(start));
  const auto [entry, added] =
      key_numbers_.try_emplace(text, first_named_key + static_cast<std::int64_t>(history_.key_names.size()));
  if (added) history_.key_names.push_back(std::move(text));
  key = entry->second;
  return true;
}

// {:from 1, :to 2, :amount 3} or {account balance, ...}; JSON spells account numbers as strings.
std::optional<Value> HistoryReader::try_map() {
  Balances balances;
  Transfer transfer;
  unsigned transfer_fields = 0;
  scanner_.take('{');
  while (true) {
    if (!scanner_.skip_blanks()) return std::nullopt;
    if (scanner_.take('}')) break;
    std::int64_t account = 0;
    std::string name;
    const bool quoted = scanner_.peek() == '"';
    if (quoted || scanner_.peek() == ':') {
      const std::size_t start = scanner_.position();
      name = name_here();
      if (scanner_.failed()) return std::nullopt;
      EdnScanner inner(name);
      if (quoted && inner.take_integer(account) && inner.at_end()) name.clear();
      if (start == scanner_.position()) return std::nullopt;
    } else if (!scanner_.take_integer(account)) {
      return std::nullopt;
    }
    if (!scanner_.skip_blanks() || (quoted && scanner_.take(':') && !scanner_.skip_blanks())) return std::nullopt;
    std::int64_t number = 0;
    if (!scanner_.take_integer(number)) return std::nullopt;
    if (name.empty()) {
      balances.emplace_back(account, number);
      continue;
    }
    const unsigned field = name == "from" ? 1U : name == "to" ? 2U : name == "amount" ? 4U : 0U;
    if (field == 0 || (transfer_fields & field) != 0) return std::nullopt;
    transfer_fields |= field;
    (field == 1 ? transfer.from : field == 2 ? transfer.to : transfer.amount) = number;
  }
  if (transfer_fields == 7 && balances.empty()) return Value(transfer);
  if (transfer_fields != 0) return std::nullopt;
  std::sort(balances.begin(), balances.end());
  for (std::size_t i = 1; i < balances.size(); ++i) {
    if (balances[i].first == balances[i - 1].first) return std::nullopt;
  }
  return Value(std::move(balances));
}

bool HistoryReader::check_event(const Event& event, std::size_t where) {
  if (!history_.events.empty()) {
    const Event& previous = history_.events.back();
    if (event.index <= previous.index) {
      return scanner_.fail(
          where, ":index " + std::to_string(event.index) + " does not follow " + std::to_string(previous.index));
    }
    if (event.time_ns < previous.time_ns) {
      return scanner_.fail(where,
                           ":time " + std::to_string(event.time_ns) + " is before " + std::to_string(previous.time_ns));
    }
  }
  if (event.process < 0) return true;
  if (event.type == EventType::invoke) {
    const auto [entry, added] = open_.try_emplace(event.process, history_.events.size());
    if (added) return true;
    return scanner_.fail(where, "process " + std::to_string(event.process) +
                                    " invokes a second operation while that of :index " +
                                    std::to_string(history_.events[entry->second].index) + " is open");
  }
  if (open_.erase(event.process) == 1) return true;
  return scanner_.fail(where,
                       "process " + std::to_string(event.process) + " completes an operation that it did not invoke");
}

// "[:r 1 nil]" does not say of what it is a read; the rest of the history does.
void HistoryReader::resolve_nil_reads() {
  if (!has_lists_) return;
  for (Event& event : history_.events) {
    auto* transaction = std::get_if<Transaction>(&event.value);
    if (transaction == nullptr) continue;
    for (MicroOp& op : *transaction) {
      if (op.kind == MicroOp::Kind::read && !op.known) op.kind = MicroOp::Kind::read_list;
    }
  }
}

}  // namespace

tl::expected<History, ReadError> read_history(std::string_view text, std::string_view name) {
  return HistoryReader(text, name).read();
}

}  // namespace polarsim::checkers
