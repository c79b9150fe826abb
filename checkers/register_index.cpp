#include "checkers/register_index.h"

#include <algorithm>

namespace polarsim::checkers {

RegisterIndex::RegisterIndex(const Operations& operations) {
  index_writes(operations);
  if (!problem_.empty()) return;
  index_external(operations);
  infer_order();
}

std::uint32_t RegisterIndex::intern(std::int64_t key, std::int64_t value, bool initial) {
  if (initial) value = 0;
  const auto [entry, added] =
      numbers_.try_emplace(Slot{key, value, initial}, static_cast<std::uint32_t>(versions_.size()));
  if (added) {
    Version version;
    version.key = key;
    version.value = value;
    version.initial = initial;
    versions_.push_back(std::move(version));
  }
  return entry->second;
}

std::uint32_t RegisterIndex::version_of(const MicroOp& op) const {
  const bool initial = op.kind != MicroOp::Kind::write && !op.known;
  return numbers_.find(Slot{op.key, initial ? 0 : op.argument, initial})->second;
}

void RegisterIndex::index_writes(const Operations& operations) {
  boost::unordered_flat_map<std::int64_t, std::uint32_t> last_of_key;  // within one transaction
  for (std::uint32_t v = 0; v < operations.list.size(); ++v) {
    const Operation& operation = operations.list[v];
    last_of_key.clear();
    for (const MicroOp& op : *operation.transaction) {
      if (op.kind == MicroOp::Kind::append || (op.kind == MicroOp::Kind::read_list && op.known)) {
        problem_ =
            "op " + std::to_string(operation.index) + " appends to or reads a list, which is no operation on registers";
        return;
      }
      const bool is_write = op.kind == MicroOp::Kind::write;
      const std::uint32_t number = intern(op.key, op.argument, !is_write && !op.known);
      if (!is_write) continue;
      Version& version = versions_[number];
      if (version.writer != no_vertex) {
        problem_ = "op " + std::to_string(operation.index) + " writes " + std::to_string(op.argument) +
                   " to a key that it was written to before; values must be unique per key";
        return;
      }
      version.writer = v;
      const auto [last, first] = last_of_key.try_emplace(op.key, number);
      if (!first) {
        versions_[last->second].intermediate = true;
        last->second = number;
      }
    }
  }
}

void RegisterIndex::index_external(const Operations& operations) {
  struct External {
    std::uint32_t read = no_vertex, written = no_vertex;
  };
  boost::unordered_flat_map<std::int64_t, std::size_t> place;
  std::vector<External> externals;
  for (std::uint32_t v = 0; v < operations.list.size(); ++v) {
    const Operation& operation = operations.list[v];
    if (!operation.possible()) continue;
    place.clear();
    externals.clear();
    for (const MicroOp& op : *operation.transaction) {
      const auto [entry, first] = place.try_emplace(op.key, externals.size());
      if (first) externals.emplace_back();
      External& external = externals[entry->second];
      if (op.kind == MicroOp::Kind::write) {
        external.written = version_of(op);
      } else if (first && operation.ok()) {
        external.read = version_of(op);
      }
    }
    for (const External& external : externals) {
      const bool read_value = external.read != no_vertex && !versions_[external.read].initial;
      if (external.read != no_vertex) versions_[external.read].readers.push_back(v);
      if (read_value) after_initial_.push_back(external.read);
      if (external.written == no_vertex) continue;
      after_initial_.push_back(external.written);
      versions_[external.written].external = operation.ok();
      if (read_value) read_then_written_.emplace_back(external.read, external.written);
    }
  }
}

void RegisterIndex::infer_order() {
  std::sort(after_initial_.begin(), after_initial_.end());
  after_initial_.erase(std::unique(after_initial_.begin(), after_initial_.end()), after_initial_.end());
  for (const std::uint32_t version : after_initial_) {
    const auto initial = numbers_.find(Slot{versions_[version].key, 0, true});
    if (initial != numbers_.end())
      order_.emplace_back(initial->second, version);  // Nobody read nil otherwise, and no edge would follow.
  }
  DependencyGraph::Builder builder(versions_.size());
  for (const auto& [before, after] : read_then_written_) builder.add(before, after, ww);
  const DependencyGraph graph = std::move(builder).build();
  const Components components = find_components(graph, ww);
  cyclic_.resize(components.count);
  for (std::uint32_t v = 0; v < versions_.size(); ++v) {
    if (components.component_of[v] != no_component) cyclic_[components.component_of[v]].push_back(v);
  }
  if (cyclic_.empty()) order_.insert(order_.end(), read_then_written_.begin(), read_then_written_.end());
  std::sort(order_.begin(), order_.end());
  order_.erase(std::unique(order_.begin(), order_.end()), order_.end());
}

}  // namespace polarsim::checkers
