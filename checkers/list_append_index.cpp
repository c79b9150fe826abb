#include "checkers/list_append_index.h"

namespace polarsim::checkers {

ListAppendIndex::ListAppendIndex(const Operations& operations) {
  index_appends(operations);
  if (!problem_.empty()) return;
  index_reads(operations);
  index_orders();
  index_readers(operations);
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

std::uint32_t ListAppendIndex::element_number(std::uint32_t key, std::int64_t value) const {
  return element_numbers_.find({key, value})->second;
}

std::uint32_t ListAppendIndex::find_element(std::uint32_t key, std::int64_t value) const {
  const auto found = element_numbers_.find({key, value});
  return found == element_numbers_.end() ? no_vertex : found->second;
}

void ListAppendIndex::index_appends(const Operations& operations) {
  boost::unordered_flat_map<std::uint32_t, std::uint32_t> last_of_key;  // within one transaction
  for (std::uint32_t v = 0; v < operations.list.size(); ++v) {
    const Operation& operation = operations.list[v];
    last_of_key.clear();
    for (const MicroOp& op : *operation.transaction) {
      if (op.kind == MicroOp::Kind::write || (op.kind == MicroOp::Kind::read && op.known)) {
        problem_ =
            "op " + std::to_string(operation.index) + " writes or reads a register, which is no operation on lists";
        return;
      }
      const std::uint32_t key = intern_key(op.key);
      if (op.kind != MicroOp::Kind::append) continue;
      const std::uint32_t number = intern_element(key, op.argument);
      Element& element = elements_[number];
      if (element.writer != no_vertex || element.failed != no_vertex) {
        problem_ = "op " + std::to_string(operation.index) + " appends " + std::to_string(op.argument) +
                   " to a key that it was appended to before; elements must be unique per key";
        return;
      }
      (operation.possible() ? element.writer : element.failed) = v;
      const auto [last, first] = last_of_key.try_emplace(key, number);
      if (!first) {
        elements_[last->second].intermediate = true;
        last->second = number;
      }
    }
  }
}

void ListAppendIndex::index_reads(const Operations& operations) {
  for (std::uint32_t v = 0; v < operations.list.size(); ++v) {
    const Operation& operation = operations.list[v];
    if (!operation.possible()) continue;
    for (const MicroOp& op : *operation.transaction) {
      if (op.kind != MicroOp::Kind::read_list || op.list.empty()) continue;
      Key& key = keys_[key_number(op.key)];
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

void ListAppendIndex::index_readers(const Operations& operations) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> reads;  // version, reader
  for (std::uint32_t v = 0; v < operations.list.size(); ++v) {
    const Operation& operation = operations.list[v];
    if (!operation.possible()) continue;
    for (const MicroOp& op : *operation.transaction) {
      if (op.kind == MicroOp::Kind::append || !informative(operation, op)) continue;
      const std::uint32_t key = key_number(op.key);
      reads.emplace_back(op.list.empty() ? keys_[key].initial : intern_element(key, op.list.back()), v);
    }
  }
  reader_offsets_.assign(elements_.size() + 1, 0);
  for (const auto& [version, reader] : reads) ++reader_offsets_[version + 1];
  for (std::size_t i = 0; i < elements_.size(); ++i) reader_offsets_[i + 1] += reader_offsets_[i];
  std::vector<std::uint32_t> next(reader_offsets_.begin(), reader_offsets_.end() - 1);
  readers_.resize(reads.size());
  for (const auto& [version, reader] : reads) readers_[next[version]++] = reader;
}

std::uint32_t ListAppendIndex::version_of(const MicroOp& read) const {
  const std::uint32_t key = key_number(read.key);
  return read.list.empty() ? keys_[key].initial : element_number(key, read.list.back());
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
