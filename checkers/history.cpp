#include "checkers/history.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <ostream>

namespace polarsim::checkers {

namespace {

void append_number(std::string& out, std::int64_t value) { out += std::to_string(value); }

void append_key(std::string& out, std::int64_t key, const History* history) {
  if (history != nullptr && is_named_key(key)) {
    out += history->key_text(key);
  } else {
    append_number(out, key);
  }
}

void append_list(std::string& out, const std::vector<std::int64_t>& list) {
  out += '[';
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += ' ';
    append_number(out, list[i]);
  }
  out += ']';
}

void append_micro_op(std::string& out, const MicroOp& op, const History* history) {
  out += op.kind == MicroOp::Kind::append ? "[:append " : op.kind == MicroOp::Kind::write ? "[:w " : "[:r ";
  append_key(out, op.key, history);
  out += ' ';
  const bool is_read = op.kind == MicroOp::Kind::read || op.kind == MicroOp::Kind::read_list;
  if (is_read && !op.known) {
    out += "nil";
  } else if (op.kind == MicroOp::Kind::read_list) {
    append_list(out, op.list);
  } else {
    append_number(out, op.argument);
  }
  out += ']';
}

struct ValueWriter {
  std::string& out;
  const History* history;

  void operator()(std::monostate) const { out += "nil"; }
  void operator()(const Transaction& transaction) const {
    out += '[';
    for (std::size_t i = 0; i < transaction.size(); ++i) {
      if (i > 0) out += ' ';
      append_micro_op(out, transaction[i], history);
    }
    out += ']';
  }
  void operator()(const Transfer& transfer) const {
    out += "{:from ";
    append_number(out, transfer.from);
    out += ", :to ";
    append_number(out, transfer.to);
    out += ", :amount ";
    append_number(out, transfer.amount);
    out += '}';
  }
  void operator()(const Balances& balances) const {
    out += '{';
    for (std::size_t i = 0; i < balances.size(); ++i) {
      if (i > 0) out += ", ";
      append_number(out, balances[i].first);
      out += ' ';
      append_number(out, balances[i].second);
    }
    out += '}';
  }
  void operator()(const Opaque& opaque) const { out += opaque.edn; }
};

void append_process(std::string& out, std::int64_t process, const History* history) {
  if (process == nemesis_process) {
    out += ":nemesis";
  } else if (process < 0 && history != nullptr &&
             static_cast<std::size_t>(nemesis_process - 1 - process) < history->process_names.size()) {
    out += history->process_names[static_cast<std::size_t>(nemesis_process - 1 - process)];
  } else {
    append_number(out, process);
  }
}

// A function name that is no plain keyword is written as a string, so that every event can be read back.
void append_function(std::string& out, std::string_view f) {
  bool plain = true;
  for (const char c : f) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    plain = plain && (letter || std::string_view("-_.?!*+/<>=").find(c) != std::string_view::npos);
  }
  if (plain) {
    out += ':';
    out += f;
    return;
  }
  out += '"';
  for (const char c : f) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string to_edn(const Event& event, const History* history) {
  std::string out = "{:index ";
  append_number(out, event.index);
  out += ", :time ";
  append_number(out, event.time_ns);
  out += ", :type :";
  out += to_string(event.type);
  out += ", :process ";
  append_process(out, event.process, history);
  if (!event.f.empty()) {
    out += ", :f ";
    append_function(out, event.f);
  }
  out += ", :value ";
  std::visit(ValueWriter{out, history}, event.value);
  for (const auto& [name, text] : event.extra) {
    out += ", :";
    out += name;
    out += ' ';
    out += text;
  }
  out += '}';
  return out;
}

}  // namespace

const char* to_string(EventType type) {
  switch (type) {
    case EventType::invoke:
      return "invoke";
    case EventType::ok:
      return "ok";
    case EventType::fail:
      return "fail";
    case EventType::info:
      return "info";
  }
  return "info";
}

std::string_view Event::field(std::string_view name) const {
  for (const auto& [key, text] : extra) {
    if (key == name) return text;
  }
  return {};
}

std::string History::key_text(std::int64_t key) const {
  if (is_named_key(key)) {
    const auto n = static_cast<std::size_t>(key - first_named_key);
    if (n < key_names.size()) return key_names[n];
  }
  return std::to_string(key);
}

std::vector<History::Pair> History::pairs() const {
  std::vector<Pair> result;
  boost::unordered_flat_map<std::int64_t, std::size_t> open;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i];
    if (event.process < 0) continue;
    if (event.type == EventType::invoke) {
      open[event.process] = result.size();
      result.push_back({static_cast<std::int64_t>(i), -1});
    } else if (const auto found = open.find(event.process); found != open.end()) {
      result[found->second].completion = static_cast<std::int64_t>(i);
      open.erase(found);
    }
  }
  return result;
}

std::string event_to_edn(const Event& event, const History& history) { return to_edn(event, &history); }

std::string event_to_edn(const Event& event) { return to_edn(event, nullptr); }

void write_edn(const History& history, std::ostream& out) {
  for (const Event& event : history.events) out << to_edn(event, &history) << '\n';
}

}  // namespace polarsim::checkers
