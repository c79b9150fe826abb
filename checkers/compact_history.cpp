#include "checkers/compact_history.h"

#include <algorithm>
#include <limits>

namespace polarsim::checkers {

namespace {

bool only_reads(std::span<const Step> steps) {
  return std::all_of(steps.begin(), steps.end(), [](const Step& step) { return step.is_read(); });
}

bool is_final(const Event& event) { return event.field("final?") == "true"; }

}  // namespace

bool Operations::same_list(const Step& a, const Step& b) const {
  if (a.known != b.known || a.length() != b.length()) return false;
  if (on_one_list(a, b)) return true;
  const auto left = list_of(a);
  return std::equal(left.begin(), left.end(), list_of(b).begin());
}

std::string Operations::key_text(std::uint32_t number) const {
  const std::int64_t key = keys_[number];
  if (is_named_key(key)) {
    const auto n = static_cast<std::size_t>(key - first_named_key);
    if (n < key_names_.size()) return key_names_[n];
  }
  return std::to_string(key);
}

std::string_view Operations::node_name(std::uint16_t number) const {
  return number == 0 ? std::string_view() : std::string_view(node_names_[number - 1U]);
}

void OperationsBuilder::add_temporary(Event& event) {
  if (Open* open = add(event, nullptr)) std::swap(open->kept, event.value);
}

// The process that now waits, if the event is an invocation.
OperationsBuilder::Open* OperationsBuilder::add(const Event& event, const Value* asked) {
  const std::int64_t position = operations_.event_count_++;
  if (event.process < 0) return nullptr;
  const auto [place, fresh] = places_.try_emplace(event.process, static_cast<std::uint32_t>(open_.size()));
  if (fresh) open_.emplace_back();
  Open& open = open_[place->second];
  if (event.type != EventType::invoke) {
    if (!open.waits) return nullptr;
    operations_.list[open.operation].completed = position;
    complete(open, &event);
    return nullptr;
  }
  if (open.waits) complete(open, nullptr);
  open.operation = static_cast<std::uint32_t>(operations_.list.size());
  open.waits = true;
  open.flagged = is_final(event);
  open.asked = asked;
  Operation operation;
  operation.index = operation.invoke_index = event.index;
  operation.process = event.process;
  operation.invoked = position;
  operation.invoked_ns = operation.completed_ns = event.time_ns;
  operation.node = number_of_node(event.field("node"));
  operations_.list.push_back(operation);
  return &open;
}

void OperationsBuilder::complete(Open& open, const Event* completion) {
  open.waits = false;
  Operation& operation = operations_.list[open.operation];
  const Value& asked = open.asked == nullptr ? open.kept : *open.asked;
  const Value* value = &asked;
  if (completion != nullptr) {
    operation.outcome = completion->type;
    operation.index = completion->index;
    operation.completed_ns = completion->time_ns;
    if (operation.node == 0) operation.node = number_of_node(completion->field("node"));
    // Clients that time out or are told of an abort often return no value; what they asked for is then in the
    // invocation.
    const bool silent = operation.outcome != EventType::ok && std::holds_alternative<std::monostate>(completion->value);
    if (!silent) value = &completion->value;
  }
  const auto* transaction = std::get_if<Transaction>(value);
  if (transaction == nullptr) {
    refuse(open.operation, completion == nullptr ? asked : completion->value);
    return;
  }
  keep(operation, *transaction);
  const bool flagged = open.flagged || (completion != nullptr && is_final(*completion));
  operation.final = flagged && operation.ok() && only_reads(operations_.steps_of(open.operation));
}

void OperationsBuilder::keep(Operation& operation, const Transaction& transaction) {
  operation.first_step = operations_.steps_.size();
  operation.step_count = static_cast<std::uint32_t>(transaction.size());
  for (const MicroOp& op : transaction) {
    Step step;
    step.key = number_of_key(op.key);
    step.kind = op.kind;
    step.known = op.known;
    step.argument = op.kind == MicroOp::Kind::read_list ? place_of_list(step.key, op.list) : op.argument;
    operations_.steps_.push_back(step);
  }
}

void OperationsBuilder::refuse(std::uint32_t operation, const Value& value) {
  if (operation < first_refused_) {
    first_refused_ = operation;
    const auto* opaque = std::get_if<Opaque>(&value);
    operations_.problem = "op " + std::to_string(operations_.list[operation].index) +
                          " is not a transaction of reads and writes" +
                          (opaque == nullptr ? "" : ": " + opaque->edn.substr(0, 120));
  }
  refused_.push_back(operation);
}

std::uint32_t OperationsBuilder::number_of_key(std::int64_t key) {
  const auto [entry, fresh] = key_numbers_.try_emplace(key, operations_.key_count());
  if (fresh) {
    operations_.keys_.push_back(key);
    operations_.main_lists_.emplace_back();
  }
  return entry->second;
}

// The argument that stands for a list: its length, and in the high half which list begins with it.
std::int64_t OperationsBuilder::place_of_list(std::uint32_t key, const std::vector<std::int64_t>& list) {
  std::vector<std::int64_t>& main = operations_.main_lists_[key];
  const auto length = static_cast<std::int64_t>(list.size());
  const std::size_t common = std::min(main.size(), list.size());
  if (std::equal(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(common), main.begin())) {
    main.insert(main.end(), list.begin() + static_cast<std::ptrdiff_t>(common), list.end());
    return length;
  }
  operations_.odd_lists_.push_back(list);
  return static_cast<std::int64_t>(operations_.odd_lists_.size()) << 32 | length;
}

std::uint16_t OperationsBuilder::number_of_node(std::string_view name) {
  if (name.empty()) return 0;
  std::vector<std::string>& names = operations_.node_names_;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<std::uint16_t>(found - names.begin() + 1);
  if (names.size() == std::numeric_limits<std::uint16_t>::max()) return 0;
  names.emplace_back(name);
  return static_cast<std::uint16_t>(names.size());
}

Operations OperationsBuilder::finish(bool nil_is_list, std::vector<std::string> key_names) && {
  for (Open& open : open_) {
    if (open.waits) complete(open, nullptr);
  }
  if (!refused_.empty()) {
    std::sort(refused_.begin(), refused_.end());
    std::uint32_t next = 0;
    std::size_t refused = 0;
    for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
      if (refused < refused_.size() && refused_[refused] == v) {
        ++refused;
      } else {
        operations_.list[next++] = operations_.list[v];
      }
    }
    operations_.list.resize(next);
  }
  for (Step& step : operations_.steps_) {
    if (nil_is_list && step.kind == MicroOp::Kind::read && !step.known) {
      step.kind = MicroOp::Kind::read_list;
      step.argument = 0;
    }
  }
  operations_.key_names_ = std::move(key_names);
  return std::move(operations_);
}

Operations collect_operations(const History& history) {
  OperationsBuilder builder;
  for (const Event& event : history.events) builder.add(event);
  return std::move(builder).finish(false, history.key_names);
}

}  // namespace polarsim::checkers
