#include "checkers/session_versions.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>

#include "checkers/calls.h"

namespace polarsim::checkers {

namespace {

constexpr std::uint32_t none = SessionVersions::none;

class Collector {
 public:
  explicit Collector(const History& history) : calls_(calls_of(history)), history_(history) {}

  SessionVersions collect() {
    find_kind();
    for (const Call& call : calls_) {
      if (call.possible() && !add_transaction(call)) return std::move(result_);
    }
    if (result_.lists) {
      order_lists();
    } else {
      order_registers();
    }
    return std::move(result_);
  }

 private:
  // The steps that a call is known to have made; null if it is no transaction.
  static const Transaction* transaction_of(const Call& call) {
    const auto* last = std::get_if<Transaction>(&call.last().value);
    if (last != nullptr || call.ok()) return last;
    return std::get_if<Transaction>(&call.invocation->value);
  }

  static bool of_list(const MicroOp& op) {
    return op.kind == MicroOp::Kind::append || op.kind == MicroOp::Kind::read_list;
  }

  void find_kind() {
    for (const Call& call : calls_) {
      const Transaction* transaction = call.possible() ? transaction_of(call) : nullptr;
      if (transaction == nullptr || result_.lists) continue;
      result_.lists = std::any_of(transaction->begin(), transaction->end(), of_list);
    }
  }

  std::uint32_t key_of(std::int64_t key) {
    const auto [entry, added] = keys_.try_emplace(key, static_cast<std::uint32_t>(result_.keys.size()));
    if (added) {
      result_.keys.push_back({key, static_cast<std::uint32_t>(result_.versions.size()), none});
      result_.versions.push_back({.key = entry->second, .initial = true});
      longest_.push_back(nullptr);
    }
    return entry->second;
  }

  std::uint32_t version_of(std::uint32_t key, std::int64_t value) {
    const auto [entry, added] =
        versions_.try_emplace({key, value}, static_cast<std::uint32_t>(result_.versions.size()));
    if (added) result_.versions.push_back({.key = key, .value = value});
    return entry->second;
  }

  bool refuse(std::string why) {
    result_.problem = std::move(why);
    return false;
  }

  bool add_transaction(const Call& call) {
    const Transaction* transaction = transaction_of(call);
    if (transaction == nullptr) return refuse(op_text(call) + " is not a transaction of reads and writes");
    const auto [session, added] =
        sessions_.try_emplace(call.last().process, static_cast<std::uint32_t>(result_.processes.size()));
    if (added) result_.processes.push_back(call.last().process);
    writes_of_session_.resize(result_.processes.size(), 0);
    const auto number = static_cast<std::uint32_t>(result_.transactions.size());
    result_.transactions.push_back({session->second, call.index(), {}});
    for (const MicroOp& op : *transaction) {
      const bool nil = op.kind == MicroOp::Kind::read && !op.known;
      if (!nil && of_list(op) != result_.lists) return refuse(op_text(call) + " mixes lists and registers");
      const bool write = op.kind == MicroOp::Kind::append || op.kind == MicroOp::Kind::write;
      if (!write && !call.ok()) continue;
      const std::uint32_t key = key_of(op.key);
      result_.transactions[number].steps.push_back(
          {write, write ? version_of(key, op.argument) : seen(number, key, op)});
      if (!write) continue;
      SessionVersions::Version& version = result_.versions[result_.transactions[number].steps.back().version];
      if (version.writer != none) {
        return refuse(op_text(call) + " writes " + std::to_string(op.argument) + " to key " +
                      history_.key_text(op.key) + ", which was written to it before; values must be unique per key");
      }
      version.writer = number;
      version.place = writes_of_session_[session->second]++;
    }
    return true;
  }

  std::uint32_t seen(std::uint32_t transaction, std::uint32_t key, const MicroOp& op) {
    if (op.kind == MicroOp::Kind::read_list && !op.list.empty()) {
      reads_.push_back({transaction, key, &op});
      if (longest_[key] == nullptr || longest_[key]->list.size() < op.list.size()) {
        longest_[key] = &op;
        result_.keys[key].longest_reader = transaction;
      }
      return version_of(key, op.list.back());
    }
    if (op.kind == MicroOp::Kind::read_list || !op.known) return result_.keys[key].initial;
    return version_of(key, op.argument);
  }

  void order_lists() {
    for (const ListRead& read : reads_) {
      const std::vector<std::int64_t>& longest = longest_[read.key]->list;
      if (std::equal(read.op->list.begin(), read.op->list.end(), longest.begin())) continue;
      result_.problem = "op " + std::to_string(result_.transactions[read.transaction].index) + " and op " +
                        std::to_string(result_.transactions[result_.keys[read.key].longest_reader].index) +
                        " contradict each other on the order of the elements of key " +
                        history_.key_text(result_.keys[read.key].key) + ", so that it is not known (see list-append)";
      return;
    }
    std::vector<bool> ordered;
    for (std::uint32_t key = 0; key < result_.keys.size(); ++key) {
      std::uint32_t last = result_.keys[key].initial;
      std::uint32_t position = 0;
      if (longest_[key] != nullptr) {
        for (const std::int64_t element : longest_[key]->list) {
          const std::uint32_t version = version_of(key, element);
          ordered.resize(result_.versions.size(), false);
          if (ordered[version]) {
            result_.problem = "op " + std::to_string(result_.transactions[result_.keys[key].longest_reader].index) +
                              " shows element " + std::to_string(element) + " of key " +
                              history_.key_text(result_.keys[key].key) + " twice (see list-append)";
            return;
          }
          ordered[version] = true;
          result_.versions[version].position = position++;
          result_.known.emplace_back(last, version);
          last = version;
        }
      }
      last_.push_back(last);
    }
    // What nobody has read yet comes after all that somebody has.
    ordered.resize(result_.versions.size(), false);
    for (std::uint32_t version = 0; version < result_.versions.size(); ++version) {
      const SessionVersions::Version& at = result_.versions[version];
      if (!at.initial && !ordered[version]) result_.known.emplace_back(last_[at.key], version);
    }
  }

  void order_registers() {
    for (std::uint32_t version = 0; version < result_.versions.size(); ++version) {
      const SessionVersions::Version& at = result_.versions[version];
      if (!at.initial) result_.known.emplace_back(result_.keys[at.key].initial, version);
    }
    boost::unordered_flat_map<std::uint32_t, std::uint32_t> current;  // by key: what the transaction has seen last
    for (const SessionVersions::SessionTransaction& transaction : result_.transactions) {
      current.clear();
      for (const SessionVersions::Step& step : transaction.steps) {
        const std::uint32_t key = result_.versions[step.version].key;
        const auto [seen, first] = current.try_emplace(key, step.version);
        if (first) continue;
        if (step.write && seen->second != step.version) result_.known.emplace_back(seen->second, step.version);
        // Of what is read after the first step on the key nothing follows: others may have written in between.
        if (step.write) seen->second = step.version;
      }
    }
  }

  struct ListRead {
    std::uint32_t transaction, key;
    const MicroOp* op;
  };
  std::vector<Call> calls_;
  const History& history_;
  SessionVersions result_;
  boost::unordered_flat_map<std::int64_t, std::uint32_t> keys_, sessions_;
  boost::unordered_flat_map<std::pair<std::uint32_t, std::int64_t>, std::uint32_t> versions_;
  std::vector<std::uint32_t> writes_of_session_;
  std::vector<ListRead> reads_;
  std::vector<const MicroOp*> longest_;  // by key
  std::vector<std::uint32_t> last_;      // by key: the last version of the longest read
};

}  // namespace

SessionVersions session_versions(const History& history) { return Collector(history).collect(); }

}  // namespace polarsim::checkers
