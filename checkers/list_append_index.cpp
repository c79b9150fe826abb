#include "checkers/list_append_index.h"

#include <algorithm>

namespace polarsim::checkers {

ListAppendIndex::ListAppendIndex(const Operations& operations) : operations_(operations) {
  if (refuse_registers()) return;
  index_appends();
  if (!problem_.empty()) return;
  find_longest_reads();
  index_orders();
  index_reads();
}

bool ListAppendIndex::refuse_registers() {
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    for (const Step& step : operations_.steps_of(v)) {
      if (step.kind != MicroOp::Kind::write && (step.kind != MicroOp::Kind::read || !step.known)) continue;
      problem_ = "op " + std::to_string(operations_.list[v].index) +
                 " writes or reads a register, which is no operation on lists";
      return true;
    }
  }
  return false;
}

// Key by key, each in the order of the operations. `offsets` says where each key's begin.
std::vector<ListAppendIndex::Append> ListAppendIndex::group_appends(std::vector<std::uint32_t>& offsets) const {
  offsets.assign(operations_.key_count() + 1, 0);
  for (const Step& step : operations_.steps()) {
    if (step.kind == MicroOp::Kind::append) ++offsets[step.key + 1];
  }
  for (std::size_t key = 0; key < operations_.key_count(); ++key) offsets[key + 1] += offsets[key];
  std::vector<std::uint32_t> next(offsets.begin(), offsets.end() - 1);
  std::vector<Append> grouped(offsets.back());
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    for (const Step& step : operations_.steps_of(v)) {
      if (step.kind != MicroOp::Kind::append) continue;
      grouped[next[step.key]++] = {step.argument, v, static_cast<std::uint32_t>(operations_.place_of(step))};
    }
  }
  return grouped;
}

void ListAppendIndex::index_appends() {
  std::vector<std::uint32_t> offsets;
  std::vector<Append> grouped = group_appends(offsets);
  keys_.resize(operations_.key_count());
  elements_.reserve(keys_.size() + grouped.size());
  versions_.resize(operations_.steps().size());
  for (std::uint32_t key = 0; key < keys_.size(); ++key) {
    index_appends_of(key, std::span(grouped).subspan(offsets[key], offsets[key + 1] - offsets[key]));
  }
}

void ListAppendIndex::index_appends_of(std::uint32_t key, std::span<Append> appends) {
  keys_[key].initial = static_cast<std::uint32_t>(elements_.size());
  keys_[key].appended = static_cast<std::uint32_t>(appends.size());
  Element element;
  element.key = key;
  elements_.push_back(element);
  std::vector<std::uint32_t> intermediate;
  for (std::size_t i = 1; i < appends.size(); ++i) {
    if (appends[i - 1].operation == appends[i].operation) intermediate.push_back(appends[i - 1].step);
  }
  const auto by_value = [](const Append& a, const Append& b) {
    return a.value != b.value ? a.value < b.value : std::pair(a.operation, a.step) < std::pair(b.operation, b.step);
  };
  // Most workloads count upwards.
  if (!std::is_sorted(appends.begin(), appends.end(), by_value)) std::sort(appends.begin(), appends.end(), by_value);
  for (std::size_t i = 0; i < appends.size(); ++i) {
    const Append& append = appends[i];
    const Operation& operation = operations_.list[append.operation];
    if (i > 0 && appends[i - 1].value == append.value && std::pair(append.operation, append.step) < problem_at_) {
      problem_at_ = {append.operation, append.step};
      problem_ = "op " + std::to_string(operation.index) + " appends " + std::to_string(append.value) +
                 " to a key that it was appended to before; elements must be unique per key";
    }
    versions_[append.step] = static_cast<std::uint32_t>(elements_.size());
    element.value = append.value;
    element.writer = operation.possible() ? append.operation : no_vertex;
    element.failed = operation.possible() ? no_vertex : append.operation;
    elements_.push_back(element);
  }
  for (const std::uint32_t step : intermediate) elements_[versions_[step]].intermediate = true;
}

std::uint32_t ListAppendIndex::find_element(std::uint32_t key, std::int64_t value) const {
  const auto first = elements_.begin() + keys_[key].initial + 1;
  const auto last = first + keys_[key].appended;
  const auto found = std::lower_bound(first, last, value, [](const Element& e, std::int64_t v) { return e.value < v; });
  if (found != last && found->value == value) return static_cast<std::uint32_t>(found - elements_.begin());
  const auto unwritten = unwritten_.find({key, value});
  return unwritten == unwritten_.end() ? no_vertex : unwritten->second;
}

std::uint32_t ListAppendIndex::intern_element(std::uint32_t key, std::int64_t value) {
  const std::uint32_t found = find_element(key, value);
  if (found != no_vertex) return found;
  const auto number = static_cast<std::uint32_t>(elements_.size());
  unwritten_.emplace(std::pair(key, value), number);
  Element fresh;
  fresh.key = key;
  fresh.value = value;
  elements_.push_back(fresh);
  return number;
}

void ListAppendIndex::find_longest_reads() {
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    if (!operations_.list[v].possible()) continue;
    for (const Step& step : operations_.steps_of(v)) {
      if (step.kind != MicroOp::Kind::read_list || step.length() == 0) continue;
      Key& key = keys_[step.key];
      if (key.longest != nullptr && key.longest->length() >= step.length()) continue;
      key.longest = &step;
      key.longest_reader = v;
    }
  }
}

void ListAppendIndex::index_orders() {
  for (std::uint32_t number = 0; number < keys_.size(); ++number) {
    Key& key = keys_[number];
    key.first_in_order = static_cast<std::uint32_t>(orders_.size());
    if (key.longest == nullptr) continue;
    bool clean = true;
    std::uint32_t expected = key.initial;
    for (const std::int64_t value : operations_.list_of(*key.longest)) {
      // Where values count upwards, they stand in their order already.
      ++expected;
      const bool next = expected <= key.initial + key.appended && elements_[expected].value == value;
      const std::uint32_t element = next ? expected : intern_element(number, value);
      if (element <= key.initial + key.appended) expected = element;
      const bool repeated = elements_[element].position >= 0;
      clean = clean && !repeated && elements_[element].writer != no_vertex;
      if (clean) ++key.clean_length;
      if (repeated) continue;
      elements_[element].position = static_cast<std::int32_t>(key.order_length++);
      orders_.push_back(element);
    }
  }
}

void ListAppendIndex::index_reads() {
  const auto resolve = [&](const Step& read) {
    const Key& key = keys_[read.key];
    const std::uint32_t length = read.length();
    if (length == 0) return key.initial;
    if (length <= key.clean_length && Operations::on_one_list(read, *key.longest)) {
      return orders_[key.first_in_order + length - 1];
    }
    return intern_element(read.key, operations_.list_of(read).back());
  };
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    for (const Step& step : operations_.steps_of(v)) {
      if (step.kind != MicroOp::Kind::append) versions_[operations_.place_of(step)] = resolve(step);
    }
  }
  const auto each_read = [&](const auto& body) {
    for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
      if (!operations_.list[v].possible()) continue;
      for (const Step& step : operations_.steps_of(v)) {
        if (step.kind != MicroOp::Kind::append && informative(operations_.list[v], step)) body(version_in(step), v);
      }
    }
  };
  reader_offsets_.assign(elements_.size() + 1, 0);
  each_read([&](std::uint32_t version, std::uint32_t) { ++reader_offsets_[version + 1]; });
  for (std::size_t i = 0; i < elements_.size(); ++i) reader_offsets_[i + 1] += reader_offsets_[i];
  std::vector<std::uint32_t> next(reader_offsets_.begin(), reader_offsets_.end() - 1);
  readers_.resize(reader_offsets_.back());
  each_read([&](std::uint32_t version, std::uint32_t reader) { readers_[next[version]++] = reader; });
}

std::uint32_t ListAppendIndex::version_before(std::uint32_t element) const {
  const Element& appended = elements_[element];
  const Key& key = keys_[appended.key];
  const std::uint32_t position =
      appended.position < 0 ? key.order_length : static_cast<std::uint32_t>(appended.position);
  return position == 0 ? key.initial : orders_[key.first_in_order + position - 1];
}

}  // namespace polarsim::checkers
