#include "checkers/register_index.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>

namespace polarsim::checkers {

RegisterIndex::RegisterIndex(const Operations& operations, const RegisterOptions& options) : operations_(operations) {
  if (refuse_lists()) return;
  index_writes();
  if (!problem_.empty()) return;
  index_reads();
  index_external(options);
  infer_order(options);
}

bool RegisterIndex::refuse_lists() {
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    for (const Step& step : operations_.steps_of(v)) {
      if (step.kind != MicroOp::Kind::append && (step.kind != MicroOp::Kind::read_list || !step.known)) continue;
      problem_ = "op " + std::to_string(operations_.list[v].index) +
                 " appends to or reads a list, which is no operation on registers";
      return true;
    }
  }
  return false;
}

void RegisterIndex::index_writes() {
  const std::size_t keys = operations_.key_count();
  std::vector<std::uint32_t> offsets(keys + 1, 0);
  for (const Step& step : operations_.steps()) {
    if (step.kind == MicroOp::Kind::write) ++offsets[step.key + 1];
  }
  for (std::size_t key = 0; key < keys; ++key) offsets[key + 1] += offsets[key];
  std::vector<std::uint32_t> next(offsets.begin(), offsets.end() - 1);
  std::vector<Write> grouped(offsets.back());
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    for (const Step& step : operations_.steps_of(v)) {
      if (step.kind != MicroOp::Kind::write) continue;
      grouped[next[step.key]++] = {step.argument, v, static_cast<std::uint32_t>(operations_.place_of(step))};
    }
  }
  keys_.resize(keys);
  versions_.reserve(keys + grouped.size());
  version_of_step_.resize(operations_.steps().size());
  for (std::uint32_t key = 0; key < keys; ++key) {
    index_writes_of(key, std::span(grouped).subspan(offsets[key], offsets[key + 1] - offsets[key]));
  }
}

void RegisterIndex::index_writes_of(std::uint32_t key, std::span<Write> writes) {
  keys_[key].initial = static_cast<std::uint32_t>(versions_.size());
  keys_[key].written = static_cast<std::uint32_t>(writes.size());
  Version version;
  version.key = key;
  version.initial = true;
  versions_.push_back(version);
  version.initial = false;
  std::vector<std::uint32_t> intermediate;
  for (std::size_t i = 1; i < writes.size(); ++i) {
    if (writes[i - 1].operation == writes[i].operation) intermediate.push_back(writes[i - 1].step);
  }
  const auto by_value = [](const Write& a, const Write& b) {
    return a.value != b.value ? a.value < b.value : std::pair(a.operation, a.step) < std::pair(b.operation, b.step);
  };
  // Most workloads count upwards.
  if (!std::is_sorted(writes.begin(), writes.end(), by_value)) std::sort(writes.begin(), writes.end(), by_value);
  for (std::size_t i = 0; i < writes.size(); ++i) {
    const Write& write = writes[i];
    if (i > 0 && writes[i - 1].value == write.value && std::pair(write.operation, write.step) < problem_at_) {
      problem_at_ = {write.operation, write.step};
      problem_ = "op " + std::to_string(operations_.list[write.operation].index) + " writes " +
                 std::to_string(write.value) + " to a key that it was written to before; values must be unique per key";
    }
    version_of_step_[write.step] = static_cast<std::uint32_t>(versions_.size());
    version.value = write.value;
    version.writer = write.operation;
    versions_.push_back(version);
  }
  for (const std::uint32_t step : intermediate) versions_[version_of_step_[step]].intermediate = true;
}

void RegisterIndex::index_reads() {
  boost::unordered_flat_map<std::pair<std::uint32_t, std::int64_t>, std::uint32_t> unwritten;  // by key and value
  const auto find = [&](const Step& read) {
    Key& key = keys_[read.key];
    if (!read.known) {
      key.initial_was_read = true;
      return key.initial;
    }
    const auto first = versions_.begin() + key.initial + 1;
    const auto last = first + key.written;
    const auto found = std::lower_bound(
        first, last, read.argument, [](const Version& version, std::int64_t value) { return version.value < value; });
    if (found != last && found->value == read.argument) return static_cast<std::uint32_t>(found - versions_.begin());
    const auto [entry, fresh] = unwritten.try_emplace(std::pair(read.key, read.argument), versions_.size());
    if (fresh) {
      Version version;
      version.key = read.key;
      version.value = read.argument;
      versions_.push_back(version);
    }
    return entry->second;
  };
  for (const Step& step : operations_.steps()) {
    if (step.is_read()) version_of_step_[operations_.place_of(step)] = find(step);
  }
}

void RegisterIndex::index_external(const RegisterOptions& options) {
  struct External {
    std::uint32_t key = 0;
    std::uint32_t read = no_vertex, written = no_vertex;
  };
  const bool accesses_needed = options.sequential_keys || options.linearizable_keys;
  LastOfKey place_of_key;
  std::vector<External> externals;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> reads;  // version, reader
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    const Operation& operation = operations_.list[v];
    if (!operation.possible()) continue;
    place_of_key.begin(operation.step_count);
    externals.clear();
    for (const Step& op : operations_.steps_of(v)) {
      const std::uint32_t version = version_in(op);
      std::uint32_t& place = place_of_key[versions_[version].key];
      const bool first = place == no_vertex;
      if (first) {
        place = static_cast<std::uint32_t>(externals.size());
        externals.push_back({.key = versions_[version].key});
      }
      if (op.kind == MicroOp::Kind::write) {
        externals[place].written = version;
      } else if (first && operation.ok()) {
        externals[place].read = version;
      }
    }
    for (const External& external : externals) {
      const bool read_value = external.read != no_vertex && !versions_[external.read].initial;
      const bool wrote = external.written != no_vertex;
      if (external.read != no_vertex) reads.emplace_back(external.read, v);
      if (read_value) versions_[external.read].real = true;
      if (accesses_needed && (external.read != no_vertex || wrote)) {
        // A nil that the transaction itself replaced tells less than what it was replaced by.
        accesses_.push_back({external.key, v, read_value || !wrote ? external.read : external.written,
                             wrote ? external.written : external.read});
      }
      if (!wrote) continue;
      versions_[external.written].real = true;
      versions_[external.written].external = operation.ok();
      if (read_value) read_then_written_.emplace_back(external.read, external.written);
    }
  }
  reader_offsets_.assign(versions_.size() + 1, 0);
  for (const auto& [version, reader] : reads) ++reader_offsets_[version + 1];
  for (std::size_t i = 0; i < versions_.size(); ++i) reader_offsets_[i + 1] += reader_offsets_[i];
  std::vector<std::uint32_t> next(reader_offsets_.begin(), reader_offsets_.end() - 1);
  readers_.resize(reads.size());
  for (const auto& [version, reader] : reads) readers_[next[version]++] = reader;
}

void RegisterIndex::infer_order(const RegisterOptions& options) {
  std::sort(accesses_.begin(), accesses_.end(), [](const Access& a, const Access& b) {
    return a.key != b.key ? a.key < b.key : a.operation < b.operation;
  });
  order_by_initial();
  if (options.wfr_keys) add_source(Source::reads_before_writes, read_then_written_);
  if (options.sequential_keys) add_source(Source::processes, order_by_processes());
  if (options.linearizable_keys) add_source(Source::real_time, order_by_real_time());
  std::sort(order_.begin(), order_.end());
  order_.erase(std::unique(order_.begin(), order_.end()), order_.end());
}

void RegisterIndex::order_by_initial() {
  for (std::uint32_t v = 0; v < versions_.size(); ++v) {
    // Without anybody who read nil no edge would follow.
    const Key& key = keys_[versions_[v].key];
    if (versions_[v].real && key.initial_was_read) order_.emplace_back(key.initial, v);
  }
}

RegisterIndex::Order RegisterIndex::order_by_processes() const {
  Order order;
  boost::unordered_flat_map<std::int64_t, std::uint32_t> left_by;  // by process, for the key at hand
  for (std::size_t i = 0; i < accesses_.size(); ++i) {
    const Access& access = accesses_[i];
    if (i == 0 || accesses_[i - 1].key != access.key) left_by.clear();
    const Operation& operation = operations_.list[access.operation];
    if (!operation.ok()) continue;
    const auto [left, first] = left_by.try_emplace(operation.process, access.last);
    if (first) continue;
    if (left->second != access.first) order.emplace_back(left->second, access.first);
    left->second = access.last;
  }
  return order;
}

RegisterIndex::Order RegisterIndex::order_by_real_time() const {
  Order order;
  struct Moment {
    std::int64_t position;
    std::size_t access;
    bool completion;
  };
  std::vector<Moment> moments;
  boost::unordered_flat_map<std::uint32_t, std::size_t> access_of;  // by operation, for the key at hand
  for (std::size_t begin = 0, end = 0; begin < accesses_.size(); begin = end) {
    moments.clear();
    access_of.clear();
    for (end = begin; end < accesses_.size() && accesses_[end].key == accesses_[begin].key; ++end) {
      const Operation& operation = operations_.list[accesses_[end].operation];
      access_of[accesses_[end].operation] = end;
      moments.push_back({operation.invoked, end, false});
      if (operation.completed >= 0) moments.push_back({operation.completed, end, true});
    }
    std::sort(moments.begin(), moments.end(), [](const Moment& a, const Moment& b) { return a.position < b.position; });
    RealTimeFrontier frontier(operations_);
    for (const Moment& moment : moments) {
      const Access& access = accesses_[moment.access];
      if (moment.completion) {
        frontier.complete(access.operation);
        continue;
      }
      for (const std::uint32_t before : frontier.before_invocation()) {
        const std::uint32_t left = accesses_[access_of[before]].last;
        if (left != access.first) order.emplace_back(left, access.first);
      }
    }
  }
  return order;
}

bool RegisterIndex::reads_of_unknown_outcome() const {
  for (std::uint32_t v = 0; v < versions_.size(); ++v) {
    const std::uint32_t writer = versions_[v].writer;
    if (writer != no_vertex && operations_.list[writer].outcome == EventType::info && !readers_of(v).empty())
      return true;
  }
  return false;
}

std::optional<std::uint32_t> RegisterIndex::key_without_order() const {
  // The order of a key is total iff versions can be taken away one by one, each time the only one without a
  // predecessor. Initial versions precede all others and are left out.
  const auto counts = [&](std::uint32_t number) {
    const Version& version = versions_[number];
    if (version.initial || version.intermediate || version.writer == no_vertex) return false;
    const Operation& writer = operations_.list[version.writer];
    return writer.ok() || (writer.possible() && !readers_of(number).empty());
  };
  std::vector<std::uint32_t> before(versions_.size(), 0);
  for (const auto& [earlier, later] : order_) {
    if (counts(earlier) && counts(later)) ++before[later];
  }
  struct Progress {
    std::uint32_t first = no_vertex;  // of those without a predecessor
    bool several = false;
  };
  std::vector<Progress> of_key(keys_.size());
  for (std::uint32_t v = 0; v < versions_.size(); ++v) {
    if (!counts(v) || before[v] > 0) continue;
    Progress& progress = of_key[versions_[v].key];
    progress.several = progress.first != no_vertex;
    if (progress.first == no_vertex) progress.first = v;
  }
  std::optional<std::uint32_t> lowest;
  for (std::uint32_t key = 0; key < keys_.size(); ++key) {
    Progress& progress = of_key[key];
    std::uint32_t at = progress.first;
    while (!progress.several && at != no_vertex) {
      std::uint32_t next = no_vertex;
      const auto begin = std::lower_bound(order_.begin(), order_.end(), std::pair(at, std::uint32_t{0}));
      for (auto step = begin; step != order_.end() && step->first == at; ++step) {
        if (!counts(step->second) || --before[step->second] > 0) continue;
        progress.several = progress.several || next != no_vertex;
        next = step->second;
      }
      at = next;
    }
    if (progress.several && (!lowest || operations_.key(key) < operations_.key(*lowest))) lowest = key;
  }
  return lowest;
}

void RegisterIndex::add_source(Source source, const Order& order) {
  DependencyGraph::Builder builder(versions_.size());
  for (const auto& [before, after] : order_) builder.add(before, after, ww);
  for (const auto& [before, after] : order) builder.add(before, after, ww);
  const DependencyGraph graph = std::move(builder).build();
  const Components components = find_components(graph, ww);
  if (components.count == 0) {
    order_.insert(order_.end(), order.begin(), order.end());
    return;
  }
  std::vector<VersionCycle> cycles(components.count, {source, {}});
  for (std::uint32_t v = 0; v < versions_.size(); ++v) {
    if (components.component_of[v] != no_component) cycles[components.component_of[v]].versions.push_back(v);
  }
  cyclic_.insert(cyclic_.end(), cycles.begin(), cycles.end());
}

}  // namespace polarsim::checkers
