// Reading histories: a front end for events on top of EdnScanner, in one pass. Each event is handed on as soon as it is
// whole.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <optional>
#include <utility>

#include "checkers/compact_history.h"
#include "checkers/edn_scanner.h"
#include "checkers/history.h"

namespace polarsim::checkers {

namespace {

class EventSink {
 public:
  EventSink() = default;
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;
  virtual ~EventSink() = default;
  // May take what the event holds, or leave other storage in its place for the next one. So many bytes have been read.
  virtual void take(Event& event, std::size_t read) = 0;
};

// The part of a text that is being read, and what came before it. Parts are dropped once they are done with.
class Window {
 public:
  Window(const ReadSome& source, const ReadingParts& parts) : source_(source), parts_(parts) {}

  bool more() const { return more_; }
  std::string_view text() const { return buffer_; }
  std::size_t dropped() const { return dropped_; }
  // Drops what stands before `position`, and reads on, at least as much as there is.
  void advance(std::size_t position) {
    const std::string_view gone = std::string_view(buffer_).substr(0, position);
    lines_ += std::count(gone.begin(), gone.end(), '\n');
    const std::size_t newline = gone.rfind('\n');
    column_ = newline == std::string_view::npos ? column_ + gone.size() : gone.size() - newline - 1;
    dropped_ += position;
    buffer_.erase(0, position);
    const std::size_t kept = buffer_.size();
    buffer_.resize(kept + std::max(parts_.bytes, kept));
    std::size_t end = kept;
    while (more_ && end < buffer_.size()) {
      const std::size_t count = source_(buffer_.data() + end, buffer_.size() - end);
      more_ = count > 0;
      end += count;
    }
    buffer_.resize(end);
  }
  // Before the window: so many lines that ended, and so many characters since.
  std::int64_t lines() const { return lines_; }
  std::size_t column() const { return column_; }

  std::size_t low_water() const { return parts_.low_water; }

 private:
  const ReadSome& source_;
  const ReadingParts parts_;
  bool more_ = true;
  std::string buffer_;
  std::size_t dropped_ = 0;
  std::int64_t lines_ = 0;
  std::size_t column_ = 0;
};

class HistoryReader {
 public:
  HistoryReader(std::string_view text, std::string_view name, EventSink& sink)
      : scanner_(text), name_(name), sink_(sink) {}
  HistoryReader(const ReadSome& source, const ReadingParts& parts, std::string_view name, EventSink& sink)
      : window_(std::in_place, source, parts), scanner_({}), name_(name), sink_(sink) {
    advance(0);
  }

  bool read() {
    while (short_of_text()) advance(0);
    if (scanner_.text().starts_with("\xef\xbb\xbf")) {
      scanner_.set_position(3);
      if (window_) advance(3);
    }
    return read_top_level();
  }
  ReadError error() const;
  // "[:r 1 nil]" does not say of what it is a read; the rest of the history does.
  bool nil_is_list() const { return has_lists_; }
  std::vector<std::string> take_key_names() { return std::move(key_names_); }
  std::vector<std::string> take_process_names() { return std::move(process_names_); }

 private:
  bool read_top_level();
  bool read_next(char closer, bool& ended);
  bool read_event();
  // Whether there is more of the text than the scanner has, and it has come so near to the end of what it has that it
  // may have been misled by it.
  bool short_of_text() const {
    return window_ && window_->more() && scanner_.text().size() - scanner_.position() < window_->low_water();
  }
  ReadError location(std::size_t position) const;
  void advance(std::size_t position);
  void forget_names(std::size_t keys, std::size_t processes);
  bool read_field(Event& event, bool json);
  bool read_type(Event& event);
  bool read_process(Event& event);
  bool read_function(Event& event);
  bool read_number(std::int64_t& value, std::string_view field);
  bool read_value(Event& event, bool json);
  bool try_transaction(Transaction& transaction);
  void recycle(Event& event);
  bool try_micro_op(Transaction& transaction);
  bool try_read_result(MicroOp& op);
  bool try_key(std::int64_t& key);
  std::optional<Value> try_map();
  bool check_event(const Event& event, std::size_t where);
  std::string_view name_here();

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

  std::optional<Window> window_;  // none: the scanner has the whole text
  EdnScanner scanner_;
  std::string_view name_;
  EventSink& sink_;
  Event event_;
  std::vector<std::string> key_names_, process_names_;
  ReadError opening_;  // where the history begins
  bool never_ends_ = false;
  unsigned seen_ = 0;
  bool has_lists_ = false;
  bool any_ = false;  // event before; then its index and time:
  std::int64_t last_index_ = 0, last_time_ns_ = 0;
  // Storage of events that are done with.
  Transaction spare_;
  std::vector<std::vector<std::int64_t>> spare_lists_;
  boost::unordered_flat_map<std::string, std::int64_t> key_numbers_;
  boost::unordered_flat_map<std::string, std::int64_t> process_numbers_;
  boost::unordered_flat_map<std::int64_t, std::int64_t> open_;  // process -> index of its invocation
};

ReadError HistoryReader::location(std::size_t position) const {
  ReadError result;
  const std::string_view before = scanner_.text().substr(0, std::min(position, scanner_.text().size()));
  result.line = 1 + (window_ ? window_->lines() : 0) + std::count(before.begin(), before.end(), '\n');
  const std::size_t newline = before.rfind('\n');
  const std::size_t earlier = window_ ? window_->column() : 0;
  result.column = static_cast<std::int64_t>(newline == std::string_view::npos ? earlier + before.size() + 1
                                                                              : before.size() - newline);
  return result;
}

ReadError HistoryReader::error() const {
  ReadError result = never_ends_ ? opening_ : location(scanner_.error_position());
  result.message = std::string(name_) + ":" + std::to_string(result.line) + ":" + std::to_string(result.column) + ": " +
                   scanner_.error();
  return result;
}

void HistoryReader::advance(std::size_t position) {
  window_->advance(position);
  scanner_.restart(window_->text(), 0);
}

void HistoryReader::forget_names(std::size_t keys, std::size_t processes) {
  for (; key_names_.size() > keys; key_names_.pop_back()) key_numbers_.erase(key_names_.back());
  for (; process_names_.size() > processes; process_names_.pop_back()) process_numbers_.erase(process_names_.back());
}

bool HistoryReader::read_top_level() {
  bool fine = scanner_.skip_blanks();
  while (short_of_text()) {
    advance(0);
    fine = scanner_.skip_blanks();
  }
  if (!fine) return false;
  opening_ = location(scanner_.position());
  char closer = '\0';
  if (scanner_.take('[')) {
    closer = ']';
  } else if (scanner_.take('(')) {
    closer = ')';
  }
  for (bool ended = false; !ended;) {
    if (short_of_text()) advance(scanner_.position());
    const std::size_t start = scanner_.position();
    const std::size_t keys = key_names_.size();
    const std::size_t processes = process_names_.size();
    fine = read_next(closer, ended);
    if (fine && !ended) continue;
    if (!short_of_text()) return fine;
    ended = false;
    never_ends_ = false;
    forget_names(keys, processes);
    advance(start);
  }
  return true;
}

// One event, or the end of the history.
bool HistoryReader::read_next(char closer, bool& ended) {
  if (!scanner_.skip_blanks()) return false;
  if (scanner_.at_end()) {
    ended = true;
    never_ends_ = closer != '\0';
    return !never_ends_ ||
           scanner_.fail(scanner_.position(), std::string("this history never ends: expected '") + closer + "'");
  }
  if (closer == '\0' || !scanner_.take(closer)) return read_event();
  ended = true;
  if (!scanner_.skip_blanks()) return false;
  return scanner_.at_end() ||
         scanner_.fail(scanner_.position(), "expected nothing after the history, found " + scanner_.describe_here());
}

// The name of a map key: a keyword without its colon, or a string without its quotes. Empty (and an error) for anything
// else.
std::string_view HistoryReader::name_here() {
  const std::size_t start = scanner_.position();
  if (scanner_.peek() == '"') {
    if (!scanner_.skip_string()) return {};
    const std::string_view text = scanner_.since(start);
    return text.substr(1, text.size() - 2);
  }
  if (scanner_.take(':')) {
    const std::string_view atom = scanner_.take_atom();
    if (!atom.empty()) return atom;
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
  event_.type = EventType::invoke;
  event_.f.clear();
  event_.value = std::monostate();
  event_.extra.clear();
  seen_ = 0;
  while (true) {
    if (!scanner_.skip_blanks()) return false;
    if (scanner_.take('}')) break;
    if (scanner_.at_end()) return scanner_.fail(start, "this event never ends: expected '}'");
    if (!read_field(event_, scanner_.peek() == '"')) return false;
  }
  if ((seen_ & type_field) == 0) return scanner_.fail(start, "this event has no :type");
  if ((seen_ & process_field) == 0) return scanner_.fail(start, "this event has no :process");
  if ((seen_ & index_field) == 0) event_.index = any_ ? last_index_ + 1 : 0;
  if ((seen_ & time_field) == 0) event_.time_ns = any_ ? last_time_ns_ : 0;
  if (!check_event(event_, start)) return false;
  any_ = true;
  last_index_ = event_.index;
  last_time_ns_ = event_.time_ns;
  sink_.take(event_, (window_ ? window_->dropped() : 0) + scanner_.position());
  recycle(event_);
  return true;
}

bool HistoryReader::first_time(unsigned field, std::size_t where, std::string_view name) {
  if ((seen_ & field) != 0) return scanner_.fail(where, "a second :" + std::string(name) + " in one event");
  seen_ |= field;
  return true;
}

bool HistoryReader::read_field(Event& event, bool json) {
  const std::size_t where = scanner_.position();
  const std::string_view name = name_here();
  if (scanner_.failed()) return false;
  if (!scanner_.skip_blanks()) return false;
  if (json && scanner_.take(':') && !scanner_.skip_blanks()) return false;
  const char c = scanner_.peek();
  if (scanner_.at_end() || c == '}' || c == ']' || c == ')') {
    return scanner_.fail(scanner_.position(),
                         "expected a map value after :" + std::string(name) + ", found " + scanner_.describe_here());
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
    if (field.first == name) return scanner_.fail(where, "a second :" + std::string(name) + " in one event");
  }
  const std::size_t start = scanner_.position();
  if (!scanner_.skip_form()) return false;
  event.extra.emplace_back(std::string(name), normalise_form(scanner_.since(start), json));
  return true;
}

bool HistoryReader::read_number(std::int64_t& value, std::string_view field) {
  if (scanner_.take_integer(value)) return true;
  return scanner_.fail(scanner_.position(), "expected a 64-bit integer after :" + std::string(field) + ", found " +
                                                scanner_.describe_here());
}

bool HistoryReader::read_type(Event& event) {
  const std::size_t start = scanner_.position();
  const std::string_view name = name_here();
  for (const EventType type : {EventType::invoke, EventType::ok, EventType::fail, EventType::info}) {
    if (name != to_string(type)) continue;
    event.type = type;
    return true;
  }
  if (scanner_.failed()) return false;
  return scanner_.fail(start, "expected :invoke, :ok, :fail or :info after :type, found :" + std::string(name));
}

bool HistoryReader::read_process(Event& event) {
  const std::size_t start = scanner_.position();
  if (scanner_.take_integer(event.process)) {
    return event.process >= 0 || scanner_.fail(start, "a process number must not be negative");
  }
  const std::string_view name = name_here();
  if (scanner_.failed()) return false;
  if (name == "nemesis") {
    event.process = nemesis_process;
    return true;
  }
  std::string text(scanner_.since(start));
  const auto [entry, added] =
      process_numbers_.try_emplace(text, nemesis_process - 1 - static_cast<std::int64_t>(process_names_.size()));
  if (added) process_names_.push_back(std::move(text));
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
    Transaction transaction = std::move(spare_);
    const bool whole = try_transaction(transaction);
    if (whole && (!transaction.empty() || event.f == "txn" || event.f.empty())) {
      event.value = std::move(transaction);
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

bool HistoryReader::try_transaction(Transaction& transaction) {
  scanner_.take('[');
  while (true) {
    if (!scanner_.skip_blanks()) return false;
    if (scanner_.take(']')) return true;
    if (!try_micro_op(transaction)) return false;
  }
}

// Keeps the storage of an event for the next ones.
void HistoryReader::recycle(Event& event) {
  auto* transaction = std::get_if<Transaction>(&event.value);
  if (transaction == nullptr) return;
  for (MicroOp& op : *transaction) {
    if (op.list.capacity() == 0) continue;
    op.list.clear();
    spare_lists_.push_back(std::move(op.list));
  }
  transaction->clear();
  spare_ = std::move(*transaction);
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
  if (!spare_lists_.empty()) {
    op.list = std::move(spare_lists_.back());
    spare_lists_.pop_back();
  }
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
      key_numbers_.try_emplace(text, first_named_key + static_cast<std::int64_t>(key_names_.size()));
  if (added) key_names_.push_back(std::move(text));
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
  if (any_ && event.index <= last_index_) {
    return scanner_.fail(where,
                         ":index " + std::to_string(event.index) + " does not follow " + std::to_string(last_index_));
  }
  if (any_ && event.time_ns < last_time_ns_) {
    return scanner_.fail(where,
                         ":time " + std::to_string(event.time_ns) + " is before " + std::to_string(last_time_ns_));
  }
  if (event.process < 0) return true;
  if (event.type == EventType::invoke) {
    const auto [entry, added] = open_.try_emplace(event.process, event.index);
    if (added) return true;
    return scanner_.fail(where, "process " + std::to_string(event.process) +
                                    " invokes a second operation while that of :index " +
                                    std::to_string(entry->second) + " is open");
  }
  if (open_.erase(event.process) == 1) return true;
  return scanner_.fail(where,
                       "process " + std::to_string(event.process) + " completes an operation that it did not invoke");
}

class HistorySink final : public EventSink {
 public:
  void take(Event& event, std::size_t /*read*/) override { history.events.push_back(std::move(event)); }
  void resolve_nil_reads();

  History history;
};

void HistorySink::resolve_nil_reads() {
  for (Event& event : history.events) {
    auto* transaction = std::get_if<Transaction>(&event.value);
    if (transaction == nullptr) continue;
    for (MicroOp& op : *transaction) {
      if (op.kind == MicroOp::Kind::read && !op.known) op.kind = MicroOp::Kind::read_list;
    }
  }
}

class OperationsSink final : public EventSink {
 public:
  explicit OperationsSink(const std::function<void(std::size_t)>& progress) : progress_(progress) {}

  void take(Event& event, std::size_t read) override {
    builder.add_temporary(event);
    if (!progress_ || read < told_ + told_every) return;
    told_ = read;
    progress_(read);
  }

  OperationsBuilder builder;

 private:
  static constexpr std::size_t told_every = std::size_t{8} << 20U;
  const std::function<void(std::size_t)>& progress_;
  std::size_t told_ = 0;
};

}  // namespace

tl::expected<History, ReadError> read_history(std::string_view text, std::string_view name) {
  HistorySink sink;
  HistoryReader reader(text, name, sink);
  if (!reader.read()) return tl::unexpected(reader.error());
  if (reader.nil_is_list()) sink.resolve_nil_reads();
  sink.history.key_names = reader.take_key_names();
  sink.history.process_names = reader.take_process_names();
  return std::move(sink.history);
}

tl::expected<Operations, ReadError> read_operations(const ReadSome& source, std::string_view name,
                                                    const std::function<void(std::size_t)>& progress,
                                                    const ReadingParts& parts) {
  OperationsSink sink(progress);
  HistoryReader reader(source, parts, name, sink);
  if (!reader.read()) return tl::unexpected(reader.error());
  return std::move(sink.builder).finish(reader.nil_is_list(), reader.take_key_names());
}

}  // namespace polarsim::checkers
