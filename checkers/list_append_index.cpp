#include "checkers/list_append_index.h"

namespace polarsim::checkers {

ListAppendIndex::ListAppendIndex(const Operations& operations) : operations_(operations) {
  index_appends();
  if (!problem_.empty()) return;
  index_reads();
  index_orders();
  index_readers();
}

std::uint32_t ListAppendIndex::intern_key(std::int64_t key) {
  const auto [entry, added] = key_numbers_.try_emplace(key, static_cast<std::uint32_t>(keys_.size()));
  if (added) {
    Key fresh;
    fresh.key = key;
    fresh.initial = static_cast<std::uint32_t>(elements_.size());
    keys_.push_back(std::move(fresh));
    Element initial;
    initial.key = entry->second;
    elements_.push_back(initial);
  }
  return entry->second;
}

std::uint32_t ListAppendIndex::intern_element(std::uint32_t key, std::int64_t value) {
  const auto [entry, added] = element_numbers_.try_emplace({key, value}, static_cast<std::uint32_t>(elements_.size()));
  if (added) {
    Element fresh;
    fresh.key = key;
    fresh.value = value;
    elements_.push_back(fresh);
  }
  return entry->second;
}

std::uint32_t ListAppendIndex::find_element(std::uint32_t key, std::int64_t value) const {
  const auto found = element_numbers_.find({key, value});
  return found == element_numbers_.end() ? no_vertex : found->second;
}

// Steps that read are given the number of their key; index_readers() puts their version in its place.
void ListAppendIndex::index_appends() {
  std::size_t steps = 0;
  for (const Operation& operation : operations_.list) steps += operation.transaction->size();
  steps_.reserve(steps);
  step_offsets_.reserve(operations_.list.size() + 1);
  LastOfKey last_of_key;
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    const Operation& operation = operations_.list[v];
    step_offsets_.push_back(static_cast<std::uint32_t>(steps_.size()));
    last_of_key.begin(operation.transaction->size());
    for (const MicroOp& op : *operation.transaction) {
      if (op.kind == MicroOp::Kind::write || (op.kind == MicroOp::Kind::read && op.known)) {
        problem_ =
            "op " + std::to_string(operation.index) + " writes or reads a register, which is no operation on lists";
        return;
      }
      const std::uint32_t key = intern_key(op.key);
      if (op.kind != MicroOp::Kind::append) {
        steps_.push_back(key);
        continue;
      }
      const std::uint32_t number = intern_element(key, op.argument);
      steps_.push_back(number);
      Element& element = elements_[number];
      if (element.writer != no_vertex || element.failed != no_vertex) {
        problem_ = "op " + std::to_string(operation.index) + " appends " + std::to_string(op.argument) +
                   " to a key that it was appended to before; elements must be unique per key";
        return;
      }
      (operation.possible() ? element.writer : element.failed) = v;
      std::uint32_t& last = last_of_key[key];
      if (last != no_vertex) elements_[last].intermediate = true;
      last = number;
    }
  }
  step_offsets_.push_back(static_cast<std::uint32_t>(steps_.size()));
}

void ListAppendIndex::index_reads() {
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    const Operation& operation = operations_.list[v];
    if (!operation.possible()) continue;
    for (const MicroOp& op : *operation.transaction) {
      if (op.kind != MicroOp::Kind::read_list || op.list.empty()) continue;
      Key& key = keys_[version_in(v, op)];
      if (key.longest != nullptr && key.longest->list.size() >= op.list.size()) continue;
      key.longest = &op;
      key.longest_reader = v;
    }
  }
}

void ListAppendIndex::index_orders() {
  for (std::uint32_t number = 0; number < keys_.size(); ++number) {
    if (keys_[number].longest == nullptr) continue;
    bool clean = true;
    for (const std::int64_t value : keys_[number].longest->list) {
      const std::uint32_t element = intern_element(number, value);
      const bool repeated = elements_[element].position >= 0;
      clean = clean && !repeated && elements_[element].writer != no_vertex;
      if (clean) ++keys_[number].clean_length;
      if (repeated) continue;
      elements_[element].position = static_cast<std::int32_t>(keys_[number].order.size());
      keys_[number].order.push_back(element);
    }
  }
}

// Gives steps that read the version that they saw, in place of the number of their key.
void ListAppendIndex::index_readers() {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> reads;  // version, reader
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    const Operation& operation = operations_.list[v];
    for (const MicroOp& op : *operation.transaction) {
      if (op.kind == MicroOp::Kind::append) continue;
      std::uint32_t& step = steps_[step_offsets_[v] + static_cast<std::size_t>(&op - operation.transaction->data())];
      const Key& key = keys_[step];
      const std::size_t length = op.list.size();
      if (length == 0) {
        step = key.initial;
      } else if (length <= key.clean_length && op.list.back() == key.longest->list[length - 1]) {
        step = key.order[length - 1];  // Most reads end where the longest one has the same element.
      } else {
        step = intern_element(step, op.list.back());
      }
      if (operation.possible() && informative(operation, op)) reads.emplace_back(step, v);
    }
  }
  reader_offsets_.assign(elements_.size() + 1, 0);
  for (const auto& [version, reader] : reads) ++reader_offsets_[version + 1];
  for (std::size_t i = 0; i < elements_.size(); ++i) reader_offsets_[i + 1] += reader_offsets_[i];
  std::vector<std::uint32_t> next(reader_offsets_.begin(), reader_offsets_.end() - 1);
  readers_.resize(reads.size());
  for (const auto& [version, reader] : reads) readers_[next[version]++] = reader;
}

std::uint32_t ListAppendIndex::version_before(std::uint32_t element) const {
  const Element& appended = elements_[element];
  const Key& key = keys_[appended.key];
  if (appended.position < 0) return key.order.empty() ? key.initial : key.order.back();
  return appended.position == 0 ? key.initial : key.order[static_cast<std::size_t>(appended.position - 1)];
}

std::span<const std::uint32_t> ListAppendIndex::readers_of(std::uint32_t element) const {
  return {readers_.data() + reader_offsets_[element], readers_.data() + reader_offsets_[element + 1]};
}

}  // namespace polarsim::checkers
