// The upsert and unique-ids checkers: what must happen once, happened once.
#include <boost/unordered/unordered_flat_map.hpp>
#include <string>
#include <utility>
#include <vector>

#include "checkers/operation_values.h"
#include "checkers/workload_checkers.h"

namespace polarsim::checkers {

namespace {

struct Record {
  const Call* inserted = nullptr;  // the first upsert that was acknowledged
  std::string id;                  // the first that was seen; empty: none yet
  const Call* seen = nullptr;      // and by what
};

class UpsertChecker {
 public:
  explicit UpsertChecker(const std::vector<Call>& calls)
      : calls_(calls), keyed_(has_independent_keys(calls)), findings_("upsert") {}

  Verdict run() {
    for (const Call& call : calls_) {
      const ValueProblem problem = judge(call);
      if (problem.empty()) continue;
      CallFindings refused("upsert");
      refused.undecided(problem);
      return std::move(refused).verdict(calls_.size());
    }
    if (records_.empty()) findings_.undecided("nothing was inserted or read");
    return std::move(findings_).verdict(calls_.size());
  }

 private:
  ValueProblem judge(const Call& call) {
    const bool upsert = call.invocation->f == "upsert";
    if (!upsert && call.invocation->f != "read") return unknown_function(call, ":upsert or :read");
    if (!call.ok()) return {};
    const auto form = read_keyed(*call.completion, keyed_);
    if (!form) return form.error();
    Record& record = records_[form->key];
    const std::string key = form->key.empty() ? "the key" : "key " + form->key;
    if (upsert) {
      if (record.inserted != nullptr) {
        findings_.anomaly("duplicate-upsert", {record.inserted->index(), call.index()}, [&] {
          return op_text(*record.inserted) + " and " + op_text(call) + " were both told that they had inserted " + key +
                 ".";
        });
      } else {
        record.inserted = &call;
      }
      if (is_nil(form->value)) return {};
      const auto id = read_scalar(*call.completion, form->value);
      if (!id) return id.error();
      see(record, *id, call, key);
      return {};
    }
    if (is_nil(form->value)) return {};
    const auto ids = read_scalars(*call.completion, form->value);
    if (!ids) return ids.error();
    for (const std::string& id : *ids) see(record, id, call, key);
    return {};
  }

  void see(Record& record, const std::string& id, const Call& call, const std::string& key) {
    if (record.seen == nullptr) {
      record.id = id;
      record.seen = &call;
    }
    if (record.id == id) return;
    findings_.anomaly("duplicate-record", {record.seen->index(), call.index()}, [&] {
      return op_text(*record.seen) + " showed record " + record.id + " of " + key + ", and " + op_text(call) +
             " record " + id + ": it was inserted more than once.";
    });
  }

  const std::vector<Call>& calls_;
  bool keyed_;
  CallFindings findings_;
  boost::unordered_flat_map<std::string, Record> records_;
};

}  // namespace

Verdict check_upsert(const History& history) {
  const std::vector<Call> calls = calls_of(history);
  return UpsertChecker(calls).run();
}

Verdict check_unique_ids(const History& history) {
  CallFindings findings("unique-ids");
  const std::vector<Call> calls = calls_of(history);
  boost::unordered_flat_map<std::string, const Call*> given;
  for (const Call& call : calls) {
    ValueProblem problem;
    if (call.invocation->f != "generate") {
      problem = unknown_function(call, ":generate");
    } else if (call.ok()) {
      const auto form = form_of(call.completion->value);
      const auto scalar = form ? as_scalar(*form) : std::nullopt;
      if (!form || is_nil(*form)) {
        problem = expected_but_found(*call.completion, "an id").value();
      } else {
        const auto [entry, first] = given.try_emplace(scalar.value_or(std::string(*form)), &call);
        if (first) continue;
        findings.anomaly("duplicated", {entry->second->index(), call.index()}, [&, &before = *entry->second] {
          return op_text(before) + " and " + op_text(call) + " were both given " + std::string(*form) + ".";
        });
      }
    }
    if (problem.empty()) continue;
    CallFindings refused("unique-ids");
    refused.undecided(std::move(problem));
    return std::move(refused).verdict(calls.size());
  }
  if (given.empty()) findings.undecided("no id was given out");
  return std::move(findings).verdict(calls.size());
}

}  // namespace polarsim::checkers
