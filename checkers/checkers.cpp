#include "checkers/checkers.h"

#include <algorithm>

#include "checkers/consistency_models.h"
#include "checkers/levels.h"
#include "checkers/named_checkers.h"

namespace polarsim::checkers {

bool is_known_level(std::string_view model) {
  const std::vector<std::string> exact = exact_level_names();
  return is_model_name(model) || std::find(exact.begin(), exact.end(), model) != exact.end();
}

std::vector<std::string> known_levels() {
  std::vector<std::string> names = exact_level_names();
  for (std::string& name : all_model_names()) names.push_back(std::move(name));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<CheckerInfo> list_checkers() {
  std::vector<CheckerInfo> checkers{
      {"anomaly-meter", "sums over rows between which transactions move amounts: how many are fractured, and why"},
      {"bank", "transfers between accounts: totals, and final balances that the transfers explain"},
      {"list-append",
       "Adya's phenomena over lists: dependency cycles, aborted, intermediate and internal reads, lost updates"},
      {"prepared-residue", "nothing remains prepared once the cluster is at rest"},
      {"read-committed-cluster",
       "the promise of nodes at Read Committed with two-phase commit: PL-2 over the cluster, statements on each node, "
       "fractured reads excused only while a commit is pending"},
      {"rw-register", "Adya's phenomena over registers, with the version order that reads before writes show"},
  };
  for (const NamedChecker& checker : named_checkers()) checkers.push_back(checker.info);
  std::sort(checkers.begin(), checkers.end(),
            [](const CheckerInfo& a, const CheckerInfo& b) { return a.name < b.name; });
  return checkers;
}

Verdict check_prepared_residue(const std::vector<PreparedResidue>& residue) {
  Verdict verdict;
  verdict.checker = "prepared-residue";
  verdict.operations_checked = residue.size();
  for (const PreparedResidue& left : residue) {
    verdict.validity = Validity::invalid;
    Anomaly anomaly;
    anomaly.name = "stuck-prepared";
    anomaly.explanation = "Transaction " + left.gid + " is still prepared on node " + left.node +
                          ", or a commit record still refers to it, though the cluster has come to rest.";
    verdict.anomalies.push_back(std::move(anomaly));
  }
  if (!residue.empty()) verdict.counts = {{"stuck-prepared", residue.size()}};
  return verdict;
}

}  // namespace polarsim::checkers
