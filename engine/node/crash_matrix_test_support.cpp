#include "engine/node/crash_matrix_test_support.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "engine/node/database.h"
#include "engine/node/node_test_support.h"
#include "engine/node/recovered_node_test_support.h"
#include "sim/assert.h"
#include "sim/crash_states.h"

namespace polarsim::engine::testing {

namespace {

NodeConfig config_of(const CrashShape& shape, const PlantedBugs& planted) {
  NodeConfig config;
  config.shared_buffers = 16;
  config.wal_segment_bytes = 64 << 10;
  config.autovacuum = false;
  if (shape.configure) shape.configure(config);
  config.planted = planted;
  return config;
}

// A world of its own with one node, whose disk may begin with what another disk held.
class Machine {
 public:
  Machine(std::uint64_t seed, const NodeConfig& config, const sim::DiskImage* disk, bool unordered_names = false)
      : config_(config), simulation_(options(seed)), host_(simulation_.add_host("dn1")) {
    sim::DiskParameters parameters = host_.disk().parameters();
    parameters.unordered_names = unordered_names;
    host_.disk().set_parameters(parameters);
    if (disk != nullptr) host_.disk().load(*disk);
    host_.disk().set_observer([this](sim::DiskOperation operation, const std::string& path) {
      if (++operations_ != crash_before_) return;
      crashed_before_ = fmt::format("{} {}", sim::to_string(operation), path);
      lose_power();
    });
  }

  // Counts from here on.
  void count_operations() { operations_ = 0; }
  std::uint64_t operations() const { return operations_; }
  // Of those counted from here on, the `number`-th does not happen: the power goes.
  void crash_before(std::uint64_t number, std::uint64_t seed) {
    operations_ = 0;
    crash_before_ = number;
    crash_seed_ = seed;
  }
  void lose_power() {
    // What the power loss leaves is drawn by a seed of its own; all before it is as it was in the run without it.
    simulation_.choices().reseed(crash_seed_);
    host_.crash();
  }
  // "write base/16384"; empty if nothing was prevented.
  const std::string& crashed_before() const { return crashed_before_; }

  // Boots, opens the node and runs `body`; back when the machine is down again. True if the body reached its end, else
  // error() says what went wrong, unless the power went.
  bool live(const std::function<void(Instance&)>& body) {
    bool finished = false;
    error_.clear();
    host_.set_program([&](sim::Host& host) {
      try {
        syntax::StatementCache cache = make_statement_cache(host.scheduler(), 1000);
        cache_ = &cache;
        const std::unique_ptr<Instance> instance = Instance::open(host, config_);
        body(*instance);
        finished = true;
      } catch (const SqlError& error) {
        error_ = fmt::format("{} {} / {}", error.sqlstate(), error.fields().message, error.fields().detail);
      }
    });
    host_.boot();
    simulation_.run();
    return finished;
  }
  const std::string& error() const { return error_; }

  TestSession connect(Instance& instance) { return TestSession(host_, instance.connect(), *cache_); }
  sim::Host& host() { return host_; }
  sim::DiskImage disk() const { return sim::durable_image(host_.disk()); }

 private:
  static sim::SimulationOptions options(std::uint64_t seed) {
    sim::SimulationOptions result;
    result.seed = seed;
    return result;
  }

  const NodeConfig& config_;
  sim::Simulation simulation_;
  sim::Host& host_;
  syntax::StatementCache* cache_ = nullptr;
  std::uint64_t operations_ = 0;
  std::uint64_t crash_before_ = 0;
  std::uint64_t crash_seed_ = 0;
  std::string crashed_before_;
  std::string error_;
};

// How far each lane (a sequence of steps that run one after the other) has come. Lies outside the simulated world.
struct Progress {
  std::vector<std::size_t> acknowledged;
  std::vector<std::size_t> started;
  // Of the answers of `ascending`: the greatest of committed transactions, and the last.
  std::int64_t greatest = 0;
  std::int64_t uncommitted = 0;
  std::string unexpected;  // an outcome that the shape does not foresee
};

std::string shortened(const std::string& text) {
  constexpr std::size_t shown_bytes_max = 600;
  return text.size() <= shown_bytes_max ? text
                                        : text.substr(0, shown_bytes_max) + fmt::format("... ({} bytes)", text.size());
}

class Matrix {
 public:
  Matrix(const CrashShape& shape, const CrashMatrixOptions& options)
      : shape_(shape), options_(options), config_(config_of(shape, options.planted)), sound_(config_of(shape, {})) {
    for (const CrashStep& step : shape.steps) {
      const std::size_t lane = shape.concurrent ? step.session : 0;
      lanes_.resize(std::max(lanes_.size(), lane + 1));
      lanes_[lane].push_back(&step);
      sessions_ = std::max(sessions_, step.session + 1);
    }
  }

  // What every case starts from, and the run without a crash.
  void prepare() {
    set_up();
    Machine machine(options_.seed, config_, &start_);
    const Progress progress = run_program(machine, 0, 0);
    result_.operations = machine.operations();
    if (!progress.unexpected.empty()) violate("without a crash: " + progress.unexpected);
    const std::string& state = allowed_state(ends());
    // The first two lines are not answers.
    std::string answers = state.substr(std::min(state.find('\n', state.find('\n') + 1), state.size() - 1) + 1);
    for (std::size_t at = 0; (at = answers.find('\n', at)) != std::string::npos; at += 3) answers.replace(at, 1, " / ");
    if (answers != shape_.finally && !shape_.observed.empty())
      violate(fmt::format("without a crash: {}, expected {}", shortened(answers), shortened(shape_.finally)));
  }

  CrashMatrixResult run() {
    prepare();
    // One more than there are: after the last.
    const std::uint64_t last = result_.operations + 1;
    for (std::uint64_t first = last % options_.stride; first <= last; first += options_.stride) {
      if (first == 0) continue;
      for (std::uint64_t draw = 0; draw < options_.draws; ++draw) {
        if (result_.violations.size() >= options_.violations_max) return std::move(result_);
        run_case({first, draw, 0});
      }
    }
    return std::move(result_);
  }

  CrashMatrixResult run_alone(const CrashCase& which) {
    prepare();
    if (crash_once(which.first, which.draw) != 0 && which.second != 0) crash_twice(which.second);
    return std::move(result_);
  }

 private:
  std::vector<std::size_t> ends() const {
    std::vector<std::size_t> result;
    for (const auto& lane : lanes_) result.push_back(lane.size());
    return result;
  }

  void violate(const std::string& what) {
    result_.violations.push_back(fmt::format("shape {}, seed {}, {}", shape_.name, options_.seed, what));
  }

  void run_case(const CrashCase& which) {
    const std::uint64_t operations = crash_once(which.first, which.draw);
    if (operations == 0) return;
    if (!options_.every_second_crash) {
      crash_twice((which.first * 7 + which.draw * 5 + options_.seed) % operations + 1);
      return;
    }
    for (std::uint64_t second = 1; second <= operations; ++second) crash_twice(second);
  }

  void set_up() {
    Machine machine(options_.seed, sound_, nullptr);
    const bool finished = machine.live([&](Instance& instance) {
      TestSession session = machine.connect(instance);
      session.run(new_work_setup);
      for (const std::string& sql : shape_.setup) session.run(sql);
      session.run("CHECKPOINT");
    });
    if (!finished) violate("setup: " + machine.error());
    start_ = machine.disk();
  }

  void run_lane(TestSession* sessions, std::size_t lane, std::size_t steps, Progress& progress) const {
    for (std::size_t i = 0; i < steps; ++i) {
      const CrashStep& step = *lanes_[lane][i];
      progress.started[lane] = i + 1;
      const std::string outcome = sessions[step.session].outcome(step.sql);
      progress.acknowledged[lane] = i + 1;
      if (step.sql == shape_.ascending) progress.uncommitted = std::stoll(outcome);
      const bool idle = sessions[step.session].session().status() == TransactionStatus::idle;
      if (idle && (step.sql == shape_.ascending || outcome == "COMMIT"))
        progress.greatest = std::max(progress.greatest, progress.uncommitted);
      const bool failed = is_error(outcome);
      if (failed == step.error.empty() || (failed && !outcome.starts_with(step.error)))
        progress.unexpected = fmt::format("{}: {}", shortened(step.sql), outcome);
    }
  }

  // "23505 duplicate key ..."; no tag and no row of the shapes looks like it.
  static bool is_error(const std::string& outcome) {
    return outcome.size() > 6 && outcome[5] == ' ' &&
           std::all_of(outcome.begin(), outcome.begin() + 5,
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); }) &&
           std::any_of(outcome.begin(), outcome.begin() + 5, [](char c) { return c >= '0' && c <= '9'; });
  }

  // Counts operations from the first step on. `crash` is 0, an operation, or one more than there are.
  Progress run_program(Machine& machine, std::uint64_t crash, std::uint64_t seed) {
    Progress progress;
    progress.acknowledged.resize(lanes_.size());
    progress.started.resize(lanes_.size());
    const bool finished = machine.live([&](Instance& instance) {
      std::vector<TestSession> sessions;
      for (std::size_t i = 0; i < sessions_; ++i) sessions.push_back(machine.connect(instance));
      machine.crash_before(crash, seed);
      std::vector<sim::TaskRef> tasks;
      for (std::size_t lane = 1; lane < lanes_.size(); ++lane) {
        tasks.push_back(machine.host().spawn(
            "client", [&, lane] { run_lane(sessions.data(), lane, lanes_[lane].size(), progress); }));
      }
      run_lane(sessions.data(), 0, lanes_[0].size(), progress);
      for (const sim::TaskRef& task : tasks) machine.host().scheduler().join(task);
      if (crash > machine.operations()) machine.lose_power();
    });
    if (!finished && !machine.error().empty()) progress.unexpected = machine.error();
    return progress;
  }

  // What the node holds when each lane is so far and all sessions have gone: as it shows it while it still runs, so
  // that no recovery has had a hand in it. A start after an orderly stop must show the same.
  const std::string& allowed_state(const std::vector<std::size_t>& steps) {
    const auto found = states_.find(steps);
    if (found != states_.end()) return found->second;
    Machine machine(options_.seed, sound_, &start_);
    Progress progress;
    progress.acknowledged.resize(lanes_.size());
    progress.started.resize(lanes_.size());
    std::string state;
    bool finished = machine.live([&](Instance& instance) {
      {
        std::vector<TestSession> sessions;
        for (std::size_t i = 0; i < sessions_; ++i) sessions.push_back(machine.connect(instance));
        for (std::size_t lane = 0; lane < lanes_.size(); ++lane) run_lane(sessions.data(), lane, steps[lane], progress);
      }
      TestSession session = machine.connect(instance);
      state = observe_node(instance, session, shape_.observed);
    });
    std::string restarted;
    finished = finished && machine.live([&](Instance& instance) {
      TestSession session = machine.connect(instance);
      restarted = observe_node(instance, session, shape_.observed);
    });
    if (!finished) {
      violate("without a crash: the node does not come up again: " + machine.error());
    } else if (restarted != state) {
      violate(fmt::format("without a crash, steps {}: a stop and a start make\n{}\nof\n{}", fmt::join(steps, "+"),
                          shortened(restarted), shortened(state)));
    }
    return states_.emplace(steps, std::move(state)).first->second;
  }

  // Every combination between what was acknowledged and what had started.
  bool allowed(const Progress& progress, const std::string& state, std::string& description) {
    std::vector<std::size_t> steps = progress.acknowledged;
    description.clear();
    while (true) {
      const std::string& candidate = allowed_state(steps);
      if (candidate == state) return true;
      description += (description.empty() ? "" : "\nor\n") + shortened(candidate);
      std::size_t lane = 0;
      while (lane < steps.size() && steps[lane] == progress.started[lane]) {
        steps[lane] = progress.acknowledged[lane];
        ++lane;
      }
      if (lane == steps.size()) return false;
      ++steps[lane];
    }
  }

  std::string check(Machine& machine, Instance& instance, const Progress& progress) {
    TestSession session = machine.connect(instance);
    const std::string state = observe_node(instance, session, shape_.observed);
    std::string problem = check_structure(instance.database());
    if (!problem.empty()) return problem;
    if (std::string expected; !allowed(progress, state, expected))
      return fmt::format("recovered to\n{}\nallowed is\n{}", shortened(state), expected);
    // A later crash of the same program finds the same transactions prepared, and decides them the other way.
    const bool commit = (case_.first / options_.stride + case_.draw / 2 + case_.second) % 2 == 0;
    problem = check_prepared(instance, session, shape_.prepared, commit);
    if (!problem.empty()) return problem;
    if (!shape_.ascending.empty()) {
      const std::string next = session.outcome(shape_.ascending);
      if (is_error(next) || std::stoll(next) <= progress.greatest)
        return fmt::format("{} gives {} after {}", shape_.ascending, next, progress.greatest);
    }
    problem = check_new_work(session);
    if (!problem.empty()) return problem;
    for (const std::string& sql : shape_.afterwards) {
      const std::string outcome = session.outcome(sql);
      if (is_error(outcome)) return fmt::format("afterwards, {}: {}", shortened(sql), outcome);
    }
    return check_structure(instance.database());
  }

  // Recovers on the machine and checks; returns the operations of the recovery, 0 if it failed.
  std::uint64_t recover_and_check(Machine& machine, const Progress& progress, const std::string& what) {
    std::uint64_t operations = 0;
    std::string problem;
    machine.crash_before(0, 0);
    const bool finished = machine.live([&](Instance& instance) {
      operations = machine.operations();
      problem = check(machine, instance, progress);
    });
    if (!finished) problem = machine.error().empty() ? "recovery or check hangs" : machine.error();
    if (problem.empty()) return operations;
    violate(what + ": " + problem);
    return 0;
  }

  std::string describe() const {
    return fmt::format("crash before operation {} of {} ({}), draw {}, {} steps acknowledged", case_.first,
                       result_.operations, crashed_before_, case_.draw, fmt::join(progress_.acknowledged, "+"));
  }

  // Every other draw is of a file system that keeps no order among the names of different directories.
  bool unordered_names() const { return (case_.first / options_.stride + case_.draw) % 2 == 1; }

  // What a power loss leaves.
  std::uint64_t crash_seed(std::uint64_t second) const {
    return ((options_.seed * 1'000'003 + case_.first) * 1009 + case_.draw) * 1009 + second;
  }

  // Returns the operations of the recovery, 0 if it failed.
  std::uint64_t crash_once(std::uint64_t first, std::uint64_t draw) {
    case_ = {first, draw, 0};
    ++result_.first_crashes;
    Machine machine(options_.seed, config_, &start_, unordered_names());
    progress_ = run_program(machine, first, crash_seed(0));
    crashed_before_ = machine.crashed_before();
    if (!progress_.unexpected.empty()) violate(describe() + ": " + progress_.unexpected);
    if (crashed_before_.empty() && first <= result_.operations)
      violate(describe() + ": the run differs from the one that was counted");
    crashed_ = machine.disk();
    return recover_and_check(machine, progress_, describe());
  }

  // After crash_once().
  void crash_twice(std::uint64_t second) {
    ++result_.second_crashes;
    case_.second = second;
    Machine machine(options_.seed, config_, &crashed_, unordered_names());
    machine.crash_before(second, crash_seed(second));
    const bool finished = machine.live([](Instance&) {});
    const std::string what = fmt::format("{}, second crash before operation {} of the recovery ({})", describe(),
                                         second, machine.crashed_before());
    if (finished || !machine.error().empty()) {
      violate(what + ": " + (finished ? "the recovery differs from the one that was counted" : machine.error()));
      return;
    }
    recover_and_check(machine, progress_, what);
  }

  const CrashShape& shape_;
  const CrashMatrixOptions& options_;
  const NodeConfig config_;
  const NodeConfig sound_;
  std::vector<std::vector<const CrashStep*>> lanes_;
  std::size_t sessions_ = 0;
  sim::DiskImage start_;
  std::map<std::vector<std::size_t>, std::string> states_;
  CrashMatrixResult result_;
  CrashCase case_;  // under way
  // Of the last first crash.
  sim::DiskImage crashed_;
  Progress progress_;
  std::string crashed_before_;
};

}  // namespace

std::vector<std::string> crash_shape_names() {
  std::vector<std::string> names;
  for (const CrashShape& shape : crash_shapes()) names.push_back(shape.name);
  return names;
}

const CrashShape& crash_shape(const std::string& name) {
  const std::vector<CrashShape>& shapes = crash_shapes();
  const auto found =
      std::find_if(shapes.begin(), shapes.end(), [&](const CrashShape& shape) { return shape.name == name; });
  POLARSIM_ASSERT(found != shapes.end(), "no crash shape has this name");
  return *found;
}

CrashMatrixResult run_crash_matrix(const CrashShape& shape, const CrashMatrixOptions& options) {
  return Matrix(shape, options).run();
}

CrashMatrixResult run_crash_case(const CrashShape& shape, const CrashCase& which, const CrashMatrixOptions& options) {
  return Matrix(shape, options).run_alone(which);
}

}  // namespace polarsim::engine::testing
