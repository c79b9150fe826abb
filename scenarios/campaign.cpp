#include "scenarios/campaign.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <set>

#include "scenarios/artifacts.h"
#include "scenarios/campaign_process.h"
#include "scenarios/campaign_store.h"
#include "scenarios/elle_opinions.h"
#include "sim/assert.h"

namespace polarsim::scenarios {

namespace {

constexpr int poll_interval_ms = 100;

// What is known of one scenario while the campaign goes on.
struct ScenarioState {
  const CampaignScenario* scenario = nullptr;
  std::string configuration;
  std::set<std::uint64_t> done;  // seeds that an earlier part of this campaign has run
  // Signature -> the seed whose capsule is kept, and where: the lowest that showed it.
  std::map<std::string, std::pair<std::uint64_t, std::string>> capsules;
};

struct RunningSeed {
  std::size_t scenario;
  SeedProcess process;
};

// A seed whose run is over and of which Elle has yet to say something.
struct WaitingSeed {
  std::size_t scenario;
  FinishedSeed seed;
  std::vector<checkers::SecondOpinion> opinions;  // so far
};

bool has_failed(const SeedResult& result) {
  return result.verdict == SeedVerdict::failed || result.verdict == SeedVerdict::crashed;
}

class Campaign {
 public:
  Campaign(const CampaignOptions& options, CampaignStore store) : options_(options), store_(std::move(store)) {}
  // What earlier parts left in the database.
  tl::expected<void, InputError> load();
  tl::expected<void, InputError> run();
  CampaignResult result();

 private:
  bool start_next();
  void forget_unfinished();
  void wait_for_some();
  tl::expected<void, InputError> collect();
  tl::expected<void, InputError> hear_elle();
  tl::expected<void, InputError> conclude(std::size_t scenario, SeedResult result);
  void apply(WaitingSeed& waiting);
  bool may_start() const {
    return !stopping_ && running_.size() < options_.jobs && waiting_.size() <= 4 * options_.jobs;
  }
  tl::expected<void, InputError> settle_capsule(ScenarioState& state, SeedResult& result);
  void count(const SeedResult& result);
  void report() const;
  void judge_expectations(CampaignResult& result) const;

  const CampaignOptions& options_;
  CampaignStore store_;
  std::vector<ScenarioState> states_;
  std::vector<RunningSeed> running_;
  std::deque<WaitingSeed> waiting_;  // for Elle, in the order in which they ended; it looks at the first
  ElleTally elle_;
  std::vector<SeedResult> results_;
  CampaignProgress progress_;
  std::uint64_t next_seed_ = 0;
  std::size_t next_scenario_ = 0;
  bool exhausted_ = false;
  bool stopping_ = false;
  bool interrupted_ = false;
};

tl::expected<void, InputError> Campaign::load() {
  next_seed_ = options_.first_seed;
  progress_.total = (options_.last_seed - options_.first_seed + 1) * options_.scenarios.size();
  for (const CampaignScenario& scenario : options_.scenarios) {
    ScenarioState state;
    state.scenario = &scenario;
    state.configuration = configuration_of(scenario, options_.planted);
    auto rows = store_.load(scenario.scenario.name, state.configuration, options_.first_seed, options_.last_seed);
    if (!rows) return tl::unexpected(rows.error());
    if (!rows->empty() && !options_.resume) {
      return tl::unexpected(InputError{fmt::format(
          "{}: has {} of {} already, seed {} first; add --resume to go on, or give another file", options_.database,
          reports::counted(rows->size(), "result"), scenario.scenario.name, rows->front().seed)});
    }
    for (SeedResult& row : *rows) {
      state.done.insert(row.seed);
      if (!row.capsule.empty()) state.capsules.emplace(row.signature, std::pair(row.seed, row.capsule));
      count(row);
      results_.push_back(std::move(row));
    }
    states_.push_back(std::move(state));
  }
  return {};
}

void Campaign::count(const SeedResult& result) {
  ++progress_.done;
  progress_.failed += has_failed(result) ? 1 : 0;
  progress_.crashed += result.verdict == SeedVerdict::crashed ? 1 : 0;
  progress_.unknown += result.verdict == SeedVerdict::unknown ? 1 : 0;
  if (options_.until_failure && has_failed(result)) stopping_ = true;
}

// Seeds go up together in all scenarios, so that each scenario's seeds start in ascending order. False if none is left.
bool Campaign::start_next() {
  while (!exhausted_) {
    const std::size_t scenario = next_scenario_;
    const std::uint64_t seed = next_seed_;
    if (++next_scenario_ == states_.size()) {
      next_scenario_ = 0;
      exhausted_ = next_seed_ == options_.last_seed;
      ++next_seed_;
    }
    const ScenarioState& state = states_[scenario];
    if (state.done.contains(seed)) continue;
    std::set<std::string> known;
    for (const auto& [signature, kept] : state.capsules) known.insert(signature);
    running_.push_back(RunningSeed{scenario, SeedProcess(options_, *state.scenario, seed, known)});
    return true;
  }
  return false;
}

void Campaign::wait_for_some() {
  std::vector<pollfd> descriptors;
  for (const RunningSeed& running : running_) descriptors.push_back({running.process.descriptor(), POLLIN, 0});
  if (options_.elle != nullptr && options_.elle->busy())
    descriptors.push_back({options_.elle->descriptor(), POLLIN, 0});  // a negative one is passed over
  ::poll(descriptors.data(), descriptors.size(), poll_interval_ms);
  const double now = options_.wall_seconds();
  for (RunningSeed& running : running_) {
    if (now - running.process.started_at() > options_.seed_timeout_seconds) running.process.time_out();
  }
}

// Two seeds that ran side by side may both have written a capsule for one signature: the lower seed's stays.
tl::expected<void, InputError> Campaign::settle_capsule(ScenarioState& state, SeedResult& result) {
  if (result.capsule.empty()) return {};
  const auto [kept, is_new] = state.capsules.emplace(result.signature, std::pair(result.seed, result.capsule));
  if (is_new) return {};
  if (kept->second.first < result.seed) {
    remove_run_folder(result.capsule);
    result.capsule.clear();
    return {};
  }
  const std::uint64_t higher_seed = kept->second.first;
  remove_run_folder(kept->second.second);
  kept->second = {result.seed, result.capsule};
  for (SeedResult& earlier : results_) {
    if (earlier.scenario == result.scenario && earlier.seed == higher_seed) earlier.capsule.clear();
  }
  return store_.clear_capsule(result.scenario, state.configuration, higher_seed);
}

tl::expected<void, InputError> Campaign::conclude(std::size_t scenario, SeedResult result) {
  const std::string build =
      fmt::format("{}, {}, {}", options_.build.version, options_.build.compiler, options_.build.build_type);
  ScenarioState& state = states_[scenario];
  if (const auto settled = settle_capsule(state, result); !settled) return settled;
  if (const auto added = store_.add(state.configuration, build, {result}); !added) return added;
  count(result);
  results_.push_back(std::move(result));
  return {};
}

tl::expected<void, InputError> Campaign::collect() {
  for (std::size_t i = 0; i < running_.size();) {
    pollfd descriptor{running_[i].process.descriptor(), POLLIN, 0};
    if (::poll(&descriptor, 1, 0) <= 0 || !running_[i].process.pump()) {
      ++i;
      continue;
    }
    const std::size_t scenario = running_[i].scenario;
    FinishedSeed seed = running_[i].process.finish(options_.wall_seconds());
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    if (!seed.opinions.empty()) {
      waiting_.push_back({scenario, std::move(seed), {}});
    } else if (const auto concluded = conclude(scenario, std::move(seed.result)); !concluded) {
      return concluded;
    }
  }
  return {};
}

// What follows from Elle's opinions. A contradiction is a failure of its own kind, whatever else the seed showed.
void Campaign::apply(WaitingSeed& waiting) {
  SeedResult& result = waiting.seed.result;
  const std::string& folder = waiting.seed.folder;
  std::string explanation;
  for (const checkers::SecondOpinion& opinion : waiting.opinions) {
    elle_.agreed += opinion.agreement == checkers::Agreement::agreed ? 1 : 0;
    elle_.differ_as_known += opinion.agreement == checkers::Agreement::differs_as_known ? 1 : 0;
    elle_.disagreed += opinion.agreement == checkers::Agreement::disagreed ? 1 : 0;
    elle_.without_verdict += opinion.agreement == checkers::Agreement::no_verdict ? 1 : 0;
    if (opinion.agreement != checkers::Agreement::agreed) ++elle_.remarks[opinion.explanation];
    if (opinion.agreement == checkers::Agreement::disagreed)
      explanation += (explanation.empty() ? "" : "\n") + opinion.explanation;
  }
  const std::string signature = disagreement_signature(waiting.opinions);
  if (signature.empty()) {
    if (folder != result.capsule) remove_run_folder(folder);
    return;
  }
  result.verdict = SeedVerdict::failed;
  result.signature += (result.signature.empty() ? "" : ";") + signature;
  result.checker = "elle";
  result.explanation = explanation;
  // As with other failures the lowest seed's capsule stays: a later one of a lower seed takes its place.
  const auto& capsules = states_[waiting.scenario].capsules;
  const auto kept = capsules.find(result.signature);
  const bool is_lowest = kept == capsules.end() || result.seed < kept->second.first;
  if (result.capsule.empty() && options_.keep_capsules && is_lowest) {
    result.capsule = run_folder(options_.out, result.scenario, result.seed);
    std::error_code error;
    remove_run_folder(result.capsule);  // an earlier run's
    std::filesystem::rename(folder, result.capsule, error);
    if (error) result.capsule = folder;
  }
  if (result.capsule.empty()) {
    remove_run_folder(folder);
    return;
  }
  const auto written = write_file(result.capsule + "/elle.json", elle_json(waiting.opinions, options_.elle->version()));
  if (!written) result.explanation += "\n" + written.error().message;
}

tl::expected<void, InputError> Campaign::hear_elle() {
  while (!waiting_.empty()) {
    WaitingSeed& first = waiting_.front();
    const checkers::OwnOpinion& own = first.seed.opinions[first.opinions.size()];
    if (!options_.elle->busy()) {
      const std::string history = first.seed.folder + "/history.edn";
      options_.elle->ask(request_for(own, std::filesystem::absolute(history).string()));
    }
    const auto answer = options_.elle->pump();
    if (!answer) return {};
    first.opinions.push_back(checkers::compare_with_elle(own, *answer));
    if (first.opinions.size() < first.seed.opinions.size()) continue;
    apply(first);
    const std::size_t scenario = first.scenario;
    SeedResult result = std::move(first.seed.result);
    waiting_.pop_front();
    if (const auto concluded = conclude(scenario, std::move(result)); !concluded) return concluded;
  }
  return {};
}

void Campaign::report() const {
  if (!options_.progress) return;
  CampaignProgress now = progress_;
  now.running = running_.size();
  options_.progress(now);
}

// Kills what runs: those seeds have no result and run again when the campaign is resumed.
void Campaign::forget_unfinished() {
  std::vector<std::pair<std::size_t, std::uint64_t>> unfinished;
  for (const RunningSeed& seed : running_) unfinished.emplace_back(seed.scenario, seed.process.seed());
  for (const WaitingSeed& seed : waiting_) unfinished.emplace_back(seed.scenario, seed.seed.result.seed);
  running_.clear();
  waiting_.clear();
  for (const auto& [scenario, seed] : unfinished) {
    // All of it is ours, half written files included.
    std::error_code ignored;
    std::filesystem::remove_all(folder_for_elle(options_.out, states_[scenario].scenario->scenario.name, seed),
                                ignored);
  }
}

tl::expected<void, InputError> Campaign::run() {
  for (;;) {
    if (options_.interrupted()) {
      interrupted_ = true;
      forget_unfinished();
      return {};
    }
    while (may_start() && start_next()) {
    }
    if (running_.empty() && waiting_.empty()) return {};
    wait_for_some();
    if (const auto collected = collect(); !collected) return collected;
    if (const auto heard = hear_elle(); !heard) return heard;
    report();
  }
}

void Campaign::judge_expectations(CampaignResult& result) const {
  result.expect_judged = result.seeds == result.planned;
  if (!result.expect_judged) return;
  for (const CampaignScenario& scenario : options_.scenarios) {
    for (const std::string& name : scenario.scenario.expect) {
      const bool was_seen = std::any_of(results_.begin(), results_.end(), [&](const SeedResult& row) {
        return row.scenario == scenario.scenario.name &&
               std::find(row.seen.begin(), row.seen.end(), name) != row.seen.end();
      });
      if (was_seen) continue;
      FailureGroup group;
      group.scenario = scenario.scenario.name;
      group.signature = "expected:" + name;
      group.checker = "expect";
      group.explanation = fmt::format("the scenario expects {}, and no seed of this campaign showed it", name);
      result.failures.push_back(std::move(group));
    }
  }
}

CampaignResult Campaign::result() {
  const auto place = [&](const SeedResult& row) {
    const auto at =
        std::find_if(options_.scenarios.begin(), options_.scenarios.end(),
                     [&](const CampaignScenario& scenario) { return scenario.scenario.name == row.scenario; });
    return std::pair(at - options_.scenarios.begin(), row.seed);
  };
  std::sort(results_.begin(), results_.end(),
            [&](const SeedResult& a, const SeedResult& b) { return place(a) < place(b); });
  CampaignResult result;
  result.planned = progress_.total;
  result.seeds = progress_.done;
  result.failed = progress_.failed;
  result.unknown = progress_.unknown;
  result.crashed = progress_.crashed;
  result.passed = progress_.done - progress_.failed - progress_.unknown;
  result.interrupted = interrupted_;
  result.elle = elle_;
  std::map<std::string, std::uint64_t> seen;
  for (const SeedResult& row : results_) {
    result.transactions += row.transactions;
    if (row.signature.find(elle_disagreement) != std::string::npos) ++result.disagreements;
    for (const std::string& name : row.seen) ++seen[name];
    if (row.verdict == SeedVerdict::passed) continue;
    std::vector<FailureGroup>& groups = has_failed(row) ? result.failures : result.unknowns;
    auto group = std::find_if(groups.begin(), groups.end(), [&](const FailureGroup& candidate) {
      return candidate.scenario == row.scenario && candidate.signature == row.signature;
    });
    if (group == groups.end()) {
      groups.push_back(FailureGroup{row.scenario, row.signature, row.checker, {}, row.explanation, ""});
      group = groups.end() - 1;
    }
    group->seeds.push_back(row.seed);
    if (group->capsule.empty()) group->capsule = row.capsule;
  }
  result.seen.assign(seen.begin(), seen.end());
  judge_expectations(result);
  result.results = std::move(results_);
  return result;
}

}  // namespace

const char* to_string(SeedVerdict verdict) {
  switch (verdict) {
    case SeedVerdict::passed:
      return "passed";
    case SeedVerdict::failed:
      return "failed";
    case SeedVerdict::unknown:
      return "unknown";
    case SeedVerdict::crashed:
      return "crashed";
  }
  return "unknown";
}

tl::expected<CampaignResult, InputError> run_campaign(const CampaignOptions& options) {
  bool wants_elle = false;
  for (const CampaignScenario& scenario : options.scenarios) wants_elle = wants_elle || scenario.scenario.elle;
  POLARSIM_ASSERT(!wants_elle || options.elle != nullptr, "a scenario wants Elle, and there is none");
  if (options.keep_capsules || wants_elle) {
    if (const auto ready = prepare_folder(options.out); !ready) return tl::unexpected(ready.error());
  }
  auto store = CampaignStore::open(options.database);
  if (!store) return tl::unexpected(store.error());
  Campaign campaign(options, std::move(*store));
  if (const auto loaded = campaign.load(); !loaded) return tl::unexpected(loaded.error());
  if (const auto ended = campaign.run(); !ended) return tl::unexpected(ended.error());
  return campaign.result();
}

std::string run_folder(const std::string& out, const std::string& scenario, std::uint64_t seed) {
  return fmt::format("{}/{}-{}", out, scenario, seed);
}

std::string shell_word(const std::string& text) {
  constexpr const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
  if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string replay_command_for(const std::string& folder, const std::string& program) {
  return shell_word(program) + " replay " + shell_word(folder);
}

}  // namespace polarsim::scenarios
